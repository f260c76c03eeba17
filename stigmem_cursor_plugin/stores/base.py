"""The small interface to a node's database, and the queries that every backend shares."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from stigmem_cursor_plugin.errors import StoreError
from stigmem_cursor_plugin.snapshot import Cursor, Key, Peer, Received, Snapshot


class Transaction(Protocol):
    """A write transaction, opened before the first read."""

    def read(self, facts: Collection[str] = ()) -> Snapshot:
        """Return what the database holds, with those of *facts* (ids) that are there."""

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
SELECT CAST(id AS TEXT), CAST(node_id AS TEXT), CAST(node_url AS TEXT), status FROM peers
ORDER BY node_id
"""
_CURSORS = """
SELECT peer_id, direction, CAST(cursor AS TEXT), CAST(updated_at AS TEXT) FROM replication_cursors
ORDER BY peer_id, direction
"""


def read_snapshot(connection: Any, tables: Collection[str], facts: Collection[str]) -> Snapshot:
    """Read a snapshot over a connection with SQLite's interface, inside its transaction.

    *tables* are those that the database has. Raises :class:`StoreError` without ``peers``.
    """
    if "peers" not in tables:
        raise StoreError(
            "no table peers: this is not the database of a stigmem node, or its migrations "
            "have not been applied; apply them with `stigmem migrate normalize-entities "
            "--dry-run`, register the peers again, then import"
        )
    return Snapshot(
        node_id=_read_node_id(connection) if "node_meta" in tables else None,
        peers=[Peer(*row) for row in connection.execute(_PEERS)],
        cursors=read_cursors(connection) if "replication_cursors" in tables else None,
        received=_read_received(connection) if "facts" in tables else {},
        held=frozenset(_read_held(connection, facts)) if "facts" in tables else frozenset(),
    )


def read_cursors(connection: Any) -> Mapping[Key, Cursor]:
    """Read every row of ``replication_cursors``."""
    rows = connection.execute(_CURSORS)
    return {(row[0], row[1]): Cursor(row[0], row[1], row[2] or None, row[3]) for row in rows}


def _read_node_id(connection: Any) -> str | None:
    row = connection.execute("SELECT value FROM node_meta WHERE key = 'node_id'").fetchone()
    return str(row[0]) if row else None


def _read_received(connection: Any) -> Mapping[str, Received]:
    # Answered from the partial index on received_from alone: rowid is the order of storing.
    rows = connection.execute(
        "SELECT counted.node_id, counted.facts, facts.id FROM ("
        " SELECT received_from AS node_id, COUNT(*) AS facts, MAX(rowid) AS last"
        " FROM facts WHERE received_from IS NOT NULL GROUP BY received_from"
        ") AS counted JOIN facts ON facts.rowid = counted.last"
    )
    return {row[0]: Received(row[1], row[2]) for row in rows}


def _read_held(connection: Any, facts: Collection[str]) -> Iterator[tuple[str, str]]:
    wanted = list(facts)
    for start in range(0, len(wanted), _BATCH):
        batch = wanted[start : start + _BATCH]
        marks = ",".join("?" * len(batch))
        query = f"SELECT received_from, id FROM facts WHERE id IN ({marks})"  # noqa: S608
        yield from ((row[0], row[1]) for row in connection.execute(query, batch))


_BATCH = 500
