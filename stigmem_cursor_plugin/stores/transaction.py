"""A transaction on an open connection, in the SQL that every backend shares, and SQLite's own."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Any

from stigmem_cursor_plugin.core.snapshot import (
    NO_QUESTIONS,
    NOTHING_RECEIVED,
    Cursor,
    Key,
    Peer,
    Questions,
    Receipt,
    Received,
    Snapshot,
)
from stigmem_cursor_plugin.errors import StoreError
from stigmem_cursor_plugin.stores.base import Connection, ConstraintError, Dialect

SQLITE = Dialect(
    columns=(
        "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
        " WHERE m.type = 'table'"
    ),
    # Answered from the partial index on received_from alone: rowid is the order of storing, and
    # the greatest of a peer is found in one step where MAX beside COUNT would look at every one.
    received=(
        "SELECT counted.node_id, counted.facts, facts.id FROM ("
        " SELECT received_from AS node_id, COUNT(*) AS facts"
        " FROM facts WHERE received_from IS NOT NULL GROUP BY received_from"
        ") AS counted JOIN facts ON facts.rowid ="
        " (SELECT MAX(rowid) FROM facts WHERE received_from = counted.node_id)"
    ),
    stored=(
        "SELECT COUNT(*), COALESCE("
        " (SELECT id FROM facts WHERE relation = 'stigmem:received_from'"
        "  ORDER BY rowid DESC LIMIT 1),"
        " (SELECT id FROM facts ORDER BY rowid DESC LIMIT 1)) FROM facts"
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
    status, {relay_trusted} AS relay_trusted FROM peers
"""
_CURSORS = """
SELECT peer_id, direction, NULLIF(CAST(cursor AS TEXT), '') AS cursor,
    CAST(updated_at AS TEXT) AS updated_at
FROM replication_cursors
"""
# Without a cast: what is really there is compared with what was written.
_STORED = "SELECT peer_id, direction, cursor, updated_at FROM replication_cursors"
_UPSERT = """
INSERT INTO replication_cursors (peer_id, direction, cursor, updated_at) VALUES (?, ?, ?, ?)
ON CONFLICT (peer_id, direction)
DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at
"""
# The host writes it with every fact that it receives (stigmem-node 0.9.0a1 to 0.9.0a12).
_RECEIPT = """
SELECT 1 FROM facts AS noted JOIN facts AS fact ON fact.id = noted.entity
WHERE noted.relation = 'stigmem:received_from' AND noted.value_v = ?
    AND noted.timestamp >= ? AND noted.timestamp <= ? AND fact.received_from = noted.value_v
LIMIT 1
"""
# COALESCE keeps SQLite from using the index on received_from: looking up each row that it names
# takes ten times as long as reading the whole table.
_RELAYED = """
SELECT 1 FROM facts WHERE COALESCE(received_from, origin_node_id) <> origin_node_id LIMIT 1
"""
_MOST_PARAMETERS = 500


def _batches(items: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    iterator = iter(items)
    while batch := tuple(islice(iterator, _MOST_PARAMETERS)):
        yield batch


def upsert(connection: Connection, cursors: Sequence[Cursor]) -> None:
    """Write *cursors*, a row with each statement."""
    for cursor in cursors:
        connection.execute(_UPSERT, cursor)


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

    def node_id(self) -> str | None:
        """Return the node id that the database says it is of; see :meth:`Transaction.node_id`."""
        if "node_meta" not in self.columns:
            return None
        rows = self._rows("SELECT value FROM node_meta WHERE key = 'node_id'")
        return next((str(value) for (value,) in rows if value), None)

    def read(self, questions: Questions = NO_QUESTIONS) -> Snapshot:
        """Return what the database holds; see :meth:`Transaction.read`."""
        columns = self.columns
        for table in ("peers", "facts"):
            if table not in columns:
                raise StoreError(
                    f"no table {table}: this is not the database of a stigmem node, or its "
                    "migrations have not been applied; apply them with `stigmem migrate "
                    "normalize-entities --dry-run`, have the peers register again, then import"
                )
        peers = self._peers(columns["peers"])
        snapshot = Snapshot(
            node_id=self.node_id(),
            peers=peers,
            cursors=self._cursors() if "replication_cursors" in columns else None,
        )
        return self._with_facts(snapshot, questions)

    def _with_facts(self, snapshot: Snapshot, questions: Questions) -> Snapshot:
        received = {
            node_id: Received(facts, last)
            for node_id, facts, last in self._rows(self._dialect.received)
        }
        snapshot = replace(snapshot, received=received)
        indirect = questions.pushes or questions.relays or self._has_relayed(snapshot.peers)
        whole_table = indirect or questions.whole_table or snapshot.has_facts_of_former_peers
        return replace(
            snapshot,
            may_hold_indirect_facts=indirect,
            received_at_all=self._stored() if whole_table else NOTHING_RECEIVED,
            held=dict(self._held(questions.fact_ids)),
            receipts=frozenset(filter(self._was_received, questions.receipts)),
        )

    def apply(self, cursors: Sequence[Cursor]) -> None:
        """Write *cursors*, recreating the table where it is missing, and read them back."""
        if "replication_cursors" not in self.columns:
            self._connection.execute(CURSOR_TABLE)
        try:
            if cursors:
                self._write(self._connection, cursors)
        except ConstraintError as error:
            directions = sorted({cursor.direction for cursor in cursors})
            raise StoreError(
                f"the database refused the cursors (directions: {', '.join(directions)}); "
                "nothing was changed"
            ) from error
        stored = {tuple(row) for row in self._rows(_STORED)}
        if not stored.issuperset(cursors):
            raise StoreError(
                "the database did not store the cursors as written; nothing was changed"
            )

    @cached_property
    def columns(self) -> Mapping[str, Collection[str]]:
        """The names of the tables, and of the columns of each, as the transaction found them."""
        found: dict[str, set[str]] = {}
        for table, column in self._rows(self._dialect.columns):
            found.setdefault(table, set()).add(column)
        return found

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterable[Any]:
        rows: Iterable[Any] = self._connection.execute(sql, parameters)
        return rows

    def _peers(self, columns: Collection[str]) -> Sequence[Peer]:
        # Releases before migration 045 have no relays, and no such column.
        relay_trusted = "relay_trusted" if "relay_trusted" in columns else "0"
        rows = self._rows(_PEERS.format(relay_trusted=relay_trusted))
        return [
            Peer(id_, node_id, url, status, bool(relay))
            for id_, node_id, url, status, relay in rows
        ]

    def _cursors(self) -> Mapping[Key, Cursor]:
        cursors = map(Cursor._make, self._rows(_CURSORS))
        return {cursor.key: cursor for cursor in cursors}

    def _has_relayed(self, peers: Sequence[Peer]) -> bool:
        """Tell whether a fact may have come by another peer than the one that it is from.

        A peer that was a relay, and is none now, has left what it handed on.
        """
        if any(peer.relay_trusted for peer in peers):
            return True
        return "origin_node_id" in self.columns["facts"] and any(self._rows(_RELAYED))

    def _stored(self) -> Received:
        rows = self._rows(self._dialect.stored)
        return next(
            (Received(facts, last, any_sender=True) for facts, last in rows),
            Received(0, None, any_sender=True),
        )

    def _held(self, facts: Collection[str]) -> Iterator[tuple[str, str | None]]:
        for batch in _batches(facts):
            marks = ",".join("?" * len(batch))
            query = f"SELECT id, received_from FROM facts WHERE id IN ({marks})"  # noqa: S608
            yield from ((row[0], row[1]) for row in self._rows(query, batch))

    def _was_received(self, receipt: Receipt) -> bool:
        return any(self._rows(_RECEIPT, (receipt.node_id, receipt.since, receipt.until)))
