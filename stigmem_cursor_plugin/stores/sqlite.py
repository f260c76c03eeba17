"""A node's SQLite database: read with the standard library, written with sqlite-utils."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple
from pathlib import Path

from stigmem_cursor_plugin.errors import StoreError
from stigmem_cursor_plugin.files import reason
from stigmem_cursor_plugin.snapshot import Cursor, Snapshot
from stigmem_cursor_plugin.stores.base import CURSOR_TABLE, read_cursors, read_snapshot

LOCK_TIMEOUT = 5.0
"""Seconds to wait for another process to release the database."""

_HEADER = b"SQLite format 3\0"


class SQLiteStore:
    """A node's database in one SQLite file, which must exist: nothing is created or migrated."""

    def __init__(self, path: str) -> None:
        """Name the file; it is opened when it is read."""
        self.name = path
        self._path = Path(path)

    def read(self) -> Snapshot:
        """Return what the database holds, without writing to it."""
        with self._translated(), closing(self._connect(read_only=True)) as connection:
            connection.execute("BEGIN")
            return _read(connection, ())

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator["SQLiteTransaction"]:
        """Hold the write lock for a block: committed at its end, rolled back on an error."""
        with self._translated(), closing(self._connect(read_only=dry_run)) as connection:
            connection.execute("BEGIN" if dry_run else "BEGIN IMMEDIATE")
            # Closing without a commit rolls back.
            yield SQLiteTransaction(connection)
            connection.execute("COMMIT")

    def _connect(self, *, read_only: bool) -> sqlite3.Connection:
        self._check_file()
        # as_uri() escapes: an unescaped # or ? would open another, empty file.
        uri = f"{self._path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
        connection = sqlite3.connect(uri, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _check_file(self) -> None:
        try:
            if not self._path.exists():
                raise StoreError(
                    f"no database at {self.name}; name the node's with --db or STIGMEM_DB_PATH"
                )
            if self._path.is_dir():
                raise StoreError(f"{self.name} is a directory, not a database")
            with self._path.open("rb") as file:
                header = file.read(len(_HEADER))
        except (OSError, ValueError) as error:
            raise StoreError(f"cannot open database {self.name}: {reason(error)}") from error
        if not header:
            raise StoreError(f"{self.name} is empty: not the database of a stigmem node")
        if header != _HEADER:
            raise StoreError(f"{self.name} is not a SQLite database, or it is encrypted")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(self._explained(error)) from error
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
    import sqlite_utils  # noqa: PLC0415  a third of an import's time

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
