"""A node's database in a SQLite file, plain or encrypted.

A plain one is read with the standard library and written with sqlite-utils; an encrypted one goes
through SQLCipher, which has the same interface.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from stigmem_cursor_plugin.access import why
from stigmem_cursor_plugin.core.snapshot import Cursor
from stigmem_cursor_plugin.errors import StoreError
from stigmem_cursor_plugin.stores.base import ConstraintError, locked, naming
from stigmem_cursor_plugin.stores.drivers import KEY_SETTINGS, PLAIN, Driver, sqlcipher
from stigmem_cursor_plugin.stores.transaction import SQLITE, SQLTransaction, upsert

# File format, https://www.sqlite.org/fileformat2.html#the_database_header
_HEADER = b"SQLite format 3\0"
_READ_VERSION = 19
_HEADER_SIZE = _READ_VERSION + 1

_PRIMARY = 0xFF
"""The part of an error code that says what kind it is (https://www.sqlite.org/rescode.html)."""

_REPLICA = ("-client_wal_index", "-info")
"""What libSQL's client keeps beside the local file of a replica."""


class SQLiteStore:
    """A node's database in one SQLite file, which must exist: nothing is created or migrated."""

    def __init__(self, path: str, *, encrypted: bool = False) -> None:
        """Name the file, and whether the settings say that it is encrypted; nothing is opened."""
        self.name = path
        self._path = Path(path)
        self._encrypted = encrypted
        self._driver = PLAIN

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[SQLTransaction]:
        """Hold the write lock for a block: committed at its end, rolled back on an error."""
        opened = self._reading() if read_only else self._writing()
        with self._translated(), opened as connection:
            connection.execute("BEGIN" if read_only else "BEGIN IMMEDIATE")
            # Closing without a commit rolls back.
            yield SQLTransaction(connection, SQLITE, self._upsert)
            connection.execute("COMMIT")

    def _upsert(self, connection: Any, cursors: Sequence[Cursor]) -> None:
        try:
            (_upsert_all if self._driver is PLAIN else upsert)(connection, cursors)
        except self._driver.module.IntegrityError as error:
            raise ConstraintError(str(error)) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._check_file()
        if not self._writable():
            raise StoreError(
                f"cannot write to {self.name}: the database or the directory it is in is read-only"
            )
        if any(self._beside(suffix).exists() for suffix in _REPLICA):
            raise StoreError(
                f"{self.name} is the local file of a libSQL replica, to which only libSQL may "
                "write; import with the node's own settings (STIGMEM_LIBSQL_URL), without --db"
            )
        with closing(self._driver.connect(self._path, "mode=rw")) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Open the database so that neither it nor the folder it lies in is changed."""
        uses_wal = self._check_file()
        wal, shared = self._beside("-wal"), self._beside("-shm")
        logged = wal.exists() and wal.stat().st_size > 0
        opened: AbstractContextManager[sqlite3.Connection]
        if uses_wal and logged and not shared.exists():
            # It is a copy with its log: whoever opens it here would change it.
            opened = _copy(self._driver, self._path, wal)
        elif uses_wal and not logged and self._writable():
            # A read-only connection would leave its -wal and -shm files; this one removes them.
            opened = closing(self._driver.connect(self._path, "mode=rw"))
        elif uses_wal and not wal.exists() and os.statvfs(self._path).f_flag & os.ST_RDONLY:
            # Nobody can be writing it, and SQLite cannot put its files beside it.
            opened = closing(self._driver.connect(self._path, "mode=ro&immutable=1"))
        elif uses_wal and not shared.exists() and not self._writable():
            # Another user's backup: SQLite would have to write beside it.
            opened = _copy(self._driver, self._path, wal)
        elif not uses_wal and self._is_half_written():
            opened = _copy(self._driver, self._path, self._beside("-journal"))
        else:
            opened = closing(self._driver.connect(self._path, "mode=ro"))
        with opened as connection:
            connection.execute("PRAGMA query_only = ON")
            yield connection

    def _is_half_written(self) -> bool:
        """Tell whether a killed program left a transaction that SQLite has to undo first."""
        if not self._beside("-journal").exists():
            return False
        with closing(self._driver.connect(self._path, "mode=ro")) as connection:
            try:
                connection.execute("PRAGMA schema_version").fetchall()
            except sqlite3.OperationalError as error:
                return error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK
        return False

    def _writable(self) -> bool:
        return os.access(self._path, os.W_OK) and os.access(self._path.resolve().parent, os.W_OK)

    def _beside(self, suffix: str) -> Path:
        return self._path.resolve().with_name(self._path.resolve().name + suffix)

    def _check_file(self) -> bool:
        """Refuse what is no database, choose the driver, tell whether it has a write-ahead log."""
        header = read_header(self.name)
        if not header.startswith(_HEADER):
            self._driver = sqlcipher(self.name)
            # The byte that tells is encrypted too; the host always uses one.
            return True
        if self._encrypted:
            raise StoreError(
                f"{self.name} is not encrypted, though STIGMEM_AT_REST_ENCRYPTION is on; "
                "name the node's database with --db or STIGMEM_DB_PATH"
            )
        return header[_READ_VERSION:] == b"\2"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, self._driver.module.Error) as error:
            raise StoreError(self._explained(error)) from error
        except OSError as error:
            raise StoreError(f"cannot read database {self.name}: {why(error)}") from error
        except StoreError as error:
            raise naming(self.name, error) from error

    def _explained(self, error: Exception) -> str:
        code = getattr(error, "sqlite_errorcode", 0)
        if code & _PRIMARY in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return locked(self.name)
        if code == sqlite3.SQLITE_NOTADB and self._driver is not PLAIN:
            return f"{self.name} does not open with the key in {KEY_SETTINGS}"
        return f"{self.name}: {error}"


def read_header(name: str) -> bytes:
    """Return the first bytes of a database file; raises :class:`StoreError` if there is none."""
    path = Path(name)
    try:
        if not path.exists():
            raise StoreError(f"no database at {name}; name the node's with --db or STIGMEM_DB_PATH")
        if path.is_dir():
            raise StoreError(f"{name} is a directory, not a database")
        if not path.is_file():  # a FIFO would wait for a writer
            raise StoreError(f"{name} is not a regular file, so not a database")
        with path.open("rb") as file:
            header = file.read(_HEADER_SIZE)
    except (OSError, ValueError) as error:
        raise StoreError(f"cannot open database {name}: {why(error)}") from error
    if not header:
        raise StoreError(f"{name} is empty: not the database of a stigmem node")
    return header


@contextmanager
def _copy(driver: Driver, path: Path, log: Path) -> Iterator[sqlite3.Connection]:
    """Open a private copy of a database and of its log or journal, where it has one."""
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415  both are rarely needed

    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "copy.db"
        shutil.copyfile(path, copy)
        if log.exists():
            shutil.copyfile(log, f"{copy}{log.name.removeprefix(path.resolve().name)}")
        with closing(driver.connect(copy, "mode=rw")) as connection:
            yield connection


def _upsert_all(connection: sqlite3.Connection, cursors: Sequence[Cursor]) -> None:
    import sqlite_utils  # noqa: PLC0415  costs much, and not every import writes

    # Other people's sqlite-utils plugins have no business in a node's database.
    database = sqlite_utils.Database(connection, execute_plugins=False)
    table = database.table("replication_cursors")
    columns = ("peer_id", "direction", "cursor", "updated_at")
    table.upsert_all([columns, *cursors], pk=("peer_id", "direction"))
