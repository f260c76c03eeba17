"""A node's SQLite database: read with the standard library, written with sqlite-utils."""

import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import astuple
from pathlib import Path

from stigmem_cursor_plugin.errors import StoreError
from stigmem_cursor_plugin.files import reason
from stigmem_cursor_plugin.snapshot import Cursor, Snapshot
from stigmem_cursor_plugin.stores.base import CURSOR_TABLE, read_cursors, read_snapshot

LOCK_TIMEOUT = 5.0
"""Seconds to wait for another process to release the database."""

# File format, https://www.sqlite.org/fileformat2.html#the_database_header
_HEADER = b"SQLite format 3\0"
_READ_VERSION = 19
_HEADER_SIZE = _READ_VERSION + 1


class SQLiteStore:
    """A node's database in one SQLite file, which must exist: nothing is created or migrated."""

    def __init__(self, path: str) -> None:
        """Name the file; it is opened when it is read."""
        self.name = path
        self._path = Path(path)

    def read(self) -> Snapshot:
        """Return what the database holds, without writing to it."""
        with self._translated(), self._reading() as connection:
            connection.execute("BEGIN")
            return _read(connection, ())

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator["SQLiteTransaction"]:
        """Hold the write lock for a block: committed at its end, rolled back on an error."""
        opened = self._reading() if dry_run else self._writing()
        with self._translated(), opened as connection:
            connection.execute("BEGIN" if dry_run else "BEGIN IMMEDIATE")
            # Closing without a commit rolls back.
            yield SQLiteTransaction(connection)
            connection.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._check_file()
        if not self._writable():
            raise StoreError(
                f"cannot write to {self.name}: the database or the directory it is in is read-only"
            )
        with closing(_connect(self._path, "mode=rw")) as connection:
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
            opened = _copy(self._path, wal)
        elif uses_wal and not logged and self._writable():
            # A read-only connection would leave its -wal and -shm files; this one removes them.
            opened = closing(_connect(self._path, "mode=rw"))
        elif uses_wal and not wal.exists() and os.statvfs(self._path).f_flag & os.ST_RDONLY:
            # Nobody can be writing it, and SQLite cannot put its files beside it.
            opened = closing(_connect(self._path, "mode=ro&immutable=1"))
        else:
            opened = closing(_connect(self._path, "mode=ro"))
        with opened as connection:
            connection.execute("PRAGMA query_only = ON")
            yield connection

    def _writable(self) -> bool:
        return os.access(self._path, os.W_OK) and os.access(self._path.resolve().parent, os.W_OK)

    def _beside(self, suffix: str) -> Path:
        return self._path.resolve().with_name(self._path.resolve().name + suffix)

    def _check_file(self) -> bool:
        """Refuse what is no database; return whether it uses a write-ahead log."""
        try:
            if not self._path.exists():
                raise StoreError(
                    f"no database at {self.name}; name the node's with --db or STIGMEM_DB_PATH"
                )
            if self._path.is_dir():
                raise StoreError(f"{self.name} is a directory, not a database")
            with self._path.open("rb") as file:
                header = file.read(_HEADER_SIZE)
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot open database {self.name}: {reason(error)}") from error
        if not header:
            raise StoreError(f"{self.name} is empty: not the database of a stigmem node")
        if not header.startswith(_HEADER):
            raise StoreError(f"{self.name} is not a SQLite database, or it is encrypted")
        return header[_READ_VERSION:] == b"\2"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(self._explained(error)) from error
        except OSError as error:
            raise StoreError(f"cannot read database {self.name}: {reason(error)}") from error
        except StoreError as error:
            raise StoreError(
                *(m if self.name in m else f"{self.name}: {m}" for m in error.messages)
            ) from error

    def _explained(self, error: sqlite3.Error) -> str:
        if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return (
                f"{self.name} is locked by another process for more than {LOCK_TIMEOUT:.0f} s; "
                "stop the node (runbook, Step 1), then run this again"
            )
        return f"{self.name}: {error}"


def _connect(path: Path, options: str) -> sqlite3.Connection:
    # as_uri() escapes: an unescaped # or ? would open another, empty file.
    uri = f"{path.absolute().as_uri()}?{options}"
    return sqlite3.connect(uri, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None)


@contextmanager
def _copy(path: Path, wal: Path) -> Iterator[sqlite3.Connection]:
    """Open a temporary copy of a database and its write-ahead log."""
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415  both are rarely needed

    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "copy.db"
        shutil.copyfile(path, copy)
        shutil.copyfile(wal, Path(directory) / "copy.db-wal")
        with closing(_connect(copy, "mode=rw")) as connection:
            yield connection


class SQLiteTransaction:
    """A transaction on an open connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take a connection that has begun one."""
        self._connection = connection

    def read(self, facts: Collection[str] = ()) -> Snapshot:
        """Return what the database holds, with those of *facts* (ids) that are there."""
        return _read(self._connection, facts)

    def apply(self, cursors: Sequence[Cursor]) -> None:
        """Write *cursors*, recreating the table where it is missing, and read them back."""
        if "replication_cursors" not in _tables(self._connection):
            self._connection.execute(CURSOR_TABLE)
        if cursors:
            _upsert(self._connection, cursors)
        stored = read_cursors(self._connection)
        if any(stored.get((cursor.peer_id, cursor.direction)) != cursor for cursor in cursors):
            raise StoreError("the cursors read back are not those written; nothing was changed")


def _upsert(connection: sqlite3.Connection, cursors: Sequence[Cursor]) -> None:
    import sqlite_utils  # noqa: PLC0415  costs much, and not every import writes

    # Other people's sqlite-utils plugins have no business in a node's database.
    database = sqlite_utils.Database(connection, execute_plugins=False)
    rows = (
        dict(zip(("peer_id", "direction", "cursor", "updated_at"), astuple(cursor), strict=True))
        for cursor in cursors
    )
    try:
        database.table("replication_cursors").upsert_all(rows, pk=("peer_id", "direction"))
    except sqlite3.IntegrityError as error:
        taken = sorted({cursor.direction for cursor in cursors})
        raise StoreError(
            f"the database refused the cursors (directions: {', '.join(taken)}): {error}; "
            "nothing was changed"
        ) from error


def _read(connection: sqlite3.Connection, facts: Collection[str]) -> Snapshot:
    return read_snapshot(connection, _tables(connection), facts)


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}
