"""The small interface to a node's database, and the SQL that every backend shares.

A store opens a connection, begins a transaction on it and hands it to :class:`SQLTransaction`;
:class:`Dialect` holds what databases do not agree on.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Protocol

from stigmem_cursor_plugin.core.snapshot import Cursor, Key, Peer, Received, Snapshot
from stigmem_cursor_plugin.errors import StoreError

LOCK_TIMEOUT = 5
"""Seconds to wait for another process to release the database."""


class Connection(Protocol):
    """The part of SQLite's interface that every backend's connection has."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Any:
        """Run one statement with ``?`` for its parameters; the result iterates over its rows.

        Raises :class:`ConstraintError` or the driver's own error, which the store explains.
        """


class ConstraintError(Exception):
    """The database refused rows because of a constraint."""


def locked(name: str) -> str:
    """Say that another process holds the database *name*, and what to do."""
    return (
        f"{name} is locked by another process for more than {LOCK_TIMEOUT} s; "
        "stop the node (runbook, Step 1), then run this again"
    )


class Transaction(Protocol):
    """A write transaction, opened before the first read."""

    def read(self, facts: Collection[str] = (), *, empty: bool = True) -> Snapshot:
        """Return what the database holds, with those of *facts* (ids) that are there.

        Without the cursors that have no position unless *empty*: after a loss all are such.
        """

    def apply(self, cursors: Sequence[Cursor]) -> None:
        """Write *cursors*, recreating the table where it is missing, and read them back.

        Raises :class:`StoreError` when the database refuses them or gives back others.
        """


class Store(Protocol):
    """A node's database; every method raises :class:`StoreError` when it cannot be used."""

    name: str

    def read(self) -> Snapshot:
        """Return what the database holds, without writing to it."""

    def transaction(self, *, dry_run: bool = False) -> AbstractContextManager[Transaction]:
        """Hold the write lock for a block: committed at its end, rolled back on an error.

        A dry run only reads.
        """


@dataclass(frozen=True, slots=True)
class Dialect:
    """The SQL in which databases differ.

    ``tables`` returns the names of the tables; ``received`` the node id of every peer that facts
    came from, their number, and the id of the one stored last.
    """

    tables: str
    received: str


SQLITE = Dialect(
    tables="SELECT name FROM sqlite_master WHERE type = 'table'",
    # Answered from the partial index on received_from alone: rowid is the order of storing, and
    # the greatest of a peer is found in one step where MAX beside COUNT would look at every one.
    received=(
        "SELECT counted.node_id, counted.facts, facts.id FROM ("
        " SELECT received_from AS node_id, COUNT(*) AS facts"
        " FROM facts WHERE received_from IS NOT NULL GROUP BY received_from"
        ") AS counted JOIN facts ON facts.rowid ="
        " (SELECT MAX(rowid) FROM facts WHERE received_from = counted.node_id)"
    ),
)

CURSOR_TABLE = """
CREATE TABLE replication_cursors (
    peer_id TEXT NOT NULL REFERENCES peers(id),
    direction TEXT NOT NULL CHECK(direction IN ('inbound','outbound')),
    cursor TEXT,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (peer_id, direction)
)
"""
"""The table as the host's migrations leave it (stigmem-node 0.9.0a1 to 0.9.0a12)."""

# SQLite keeps whatever was stored: a cast makes text of a number or a blob.
_PEERS = """
SELECT CAST(id AS TEXT) AS id, CAST(node_id AS TEXT) AS node_id, CAST(node_url AS TEXT) AS url,
    status FROM peers
"""
_CURSORS = """
SELECT peer_id, direction, NULLIF(CAST(cursor AS TEXT), '') AS cursor,
    CAST(updated_at AS TEXT) AS updated_at
FROM replication_cursors
"""
# Without a cast: what is really there is compared with what was written.
_STORED = "SELECT peer_id, direction, cursor, updated_at FROM replication_cursors"
_UPSERT = """
INSERT INTO replication_cursors (peer_id, direction, cursor, updated_at) VALUES {}
ON CONFLICT (peer_id, direction)
DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at
"""
_BATCH = 500


def _batches(items: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    iterator = iter(items)
    while batch := tuple(islice(iterator, _BATCH)):
        yield batch


def upsert(connection: Connection, cursors: Sequence[Cursor]) -> None:
    """Write *cursors*, many with each statement: every statement may be a journey."""
    for batch in _batches(cursors):
        marks = ",".join(["(?,?,?,?)"] * len(batch))
        connection.execute(_UPSERT.format(marks), tuple(chain.from_iterable(batch)))


class SQLTransaction:
    """A transaction on an open connection, in SQL."""

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect = SQLITE,
        write: Callable[[Any, Sequence[Cursor]], None] = upsert,
    ) -> None:
        """Take a connection that has begun one."""
        self._connection = connection
        self._dialect = dialect
        self._write = write

    def read(self, facts: Collection[str] = (), *, empty: bool = True) -> Snapshot:
        """Return what the database holds; see :meth:`Transaction.read`."""
        tables = self.tables()
        if "peers" not in tables:
            raise StoreError(
                "no table peers: this is not the database of a stigmem node, or its migrations "
                "have not been applied; apply them with `stigmem migrate normalize-entities "
                "--dry-run`, register the peers again, then import"
            )
        return Snapshot(
            node_id=self._node_id() if "node_meta" in tables else None,
            peers=list(map(Peer._make, self._rows(_PEERS))),
            cursors=self._cursors(empty=empty) if "replication_cursors" in tables else None,
            received=self._received() if "facts" in tables else {},
            held=frozenset(self._held(facts)) if "facts" in tables else frozenset(),
        )

    def apply(self, cursors: Sequence[Cursor]) -> None:
        """Write *cursors*, recreating the table where it is missing, and read them back."""
        if "replication_cursors" not in self.tables():
            self._connection.execute(CURSOR_TABLE)
        try:
            if cursors:
                self._write(self._connection, cursors)
        except ConstraintError as error:
            taken = sorted({cursor.direction for cursor in cursors})
            raise StoreError(
                f"the database refused the cursors (directions: {', '.join(taken)}); "
                "nothing was changed"
            ) from error
        written = set(cursors)
        written.difference_update(map(tuple, self._rows(_STORED)))
        if written:
            raise StoreError("the cursors read back are not those written; nothing was changed")

    def tables(self) -> Collection[str]:
        """Return the names of the tables that the database has."""
        return {name for (name,) in self._rows(self._dialect.tables)}

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterable[Any]:
        rows: Iterable[Any] = self._connection.execute(sql, parameters)
        return rows

    def _node_id(self) -> str | None:
        rows = self._rows("SELECT value FROM node_meta WHERE key = 'node_id'")
        return next((str(value) for (value,) in rows), None)

    def _cursors(self, *, empty: bool) -> Mapping[Key, Cursor]:
        sql = _CURSORS if empty else f"{_CURSORS} WHERE cursor <> ''"
        cursors = map(Cursor._make, self._rows(sql))
        return {cursor[:2]: cursor for cursor in cursors}

    def _received(self) -> Mapping[str, Received]:
        return {row[0]: Received(row[1], row[2]) for row in self._rows(self._dialect.received)}

    def _held(self, facts: Collection[str]) -> Iterator[tuple[str, str]]:
        for batch in _batches(facts):
            marks = ",".join("?" * len(batch))
            query = f"SELECT received_from, id FROM facts WHERE id IN ({marks})"  # noqa: S608
            yield from ((row[0], row[1]) for row in self._rows(query, batch))
