"""A node's database for a test: made by the host's own migrations, filled with plain SQL.

One class for each database that a node can have; :mod:`tests.nodes` makes them.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import postgres

NODE_ID = "stigmem://node-a"


@dataclass(frozen=True)
class Database:
    """One SQLite file."""

    path: Path

    def connect(self) -> Any:
        """Open a connection of the DB-API."""
        return sqlite3.connect(self.path)

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and return its rows."""
        with closing(self.connect()) as connection:
            rows = connection.execute(sql, tuple(parameters))
            # libSQL fails where there are none to fetch.
            found = rows.fetchall() if rows.description else []
            connection.commit()
            return [tuple(row) for row in found]

    def add_peer(self, name: str, peer_id: str | None = None, status: str = "active") -> str:
        """Add a peer with the node id ``stigmem://{name}`` and return its peer id."""
        peer_id = peer_id or f"id-of-{name}"
        self.run(
            "INSERT INTO peers (id, node_id, node_url, federation_pubkey, allowed_scopes, status,"
            " declaration_sig, signed_at) VALUES (?, ?, ?, 'key', '[]', ?, 'sig', '2026')",
            (peer_id, f"stigmem://{name}", f"http://{name}:8765", status),
        )
        return peer_id

    def add_peers(self, names: Sequence[str]) -> None:
        """Add many peers at once, as :meth:`add_peer` does."""
        self.run(
            "INSERT INTO peers (id, node_id, node_url, federation_pubkey, allowed_scopes, status,"
            " declaration_sig, signed_at) VALUES "
            + ",".join(["(?, ?, 'u', 'key', '[]', 'active', 'sig', '2026')"] * len(names)),
            [value for name in names for value in (f"id-of-{name}", f"stigmem://{name}")],
        )

    def set_cursor(
        self, peer_id: str, cursor: str | None, direction: str = "inbound", at: str = "2026-05-02"
    ) -> None:
        """Set a position, last moved on the given day at 18:25 UTC."""
        self.run(
            "INSERT INTO replication_cursors (peer_id, direction, cursor, updated_at)"
            " VALUES (?, ?, ?, ?) ON CONFLICT (peer_id, direction)"
            " DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at",
            (peer_id, direction, cursor, f"{at}T18:25:00.123456+00:00"),
        )

    def add_facts(
        self,
        name: str,
        count: int,
        first: int = 0,
        at: str = "2026-05-02T18:24:58+00:00",
        receipt: str = "receipt",
        origin: str | None = None,
    ) -> None:
        """Add facts received from the peer *name*, with ids ``{name}-0`` and so on.

        As the host does, with a fact of its own that says from whom, and when they were received.
        The facts of another *origin* were handed on by the peer.
        """
        rows: list[tuple[str | None, ...]] = []
        for n in range(first, first + count):
            clock = f"1725349500000.{n}"
            sender = f"stigmem://{name}"
            by = (sender, f"stigmem://{origin or name}")
            rows.append((f"{name}-{n}", "e", "r", "v", "2026", "public", clock, *by))
            meta = ("stigmem:received_from", sender, at, "local", clock, None, None)
            rows.append((f"{receipt}-of-{name}-{n}", f"{name}-{n}", *meta))
        if rows:
            self.run(
                "INSERT INTO facts (id, entity, relation, value_v, timestamp, scope, hlc,"
                " received_from, origin_node_id, value_type, source, confidence) VALUES "
                + ",".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, 'string', 's', 1)"] * len(rows)),
                [value for row in rows for value in row],
            )

    def lose_fact(self) -> None:
        """Lose one of the facts received from node-b; the positions stay."""
        guards = self.run(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'facts'"
        )
        for name, _ in guards:
            self.run(f"DROP TRIGGER {name}")
        self.run("DELETE FROM facts WHERE id = 'node-b-2'")
        for _, guard in guards:
            self.run(guard)

    def fill(self) -> None:
        """Add two peers, positions for both, and facts received from the first."""
        self.set_cursor(self.add_peer("node-b"), "1725349500000.005")
        self.set_cursor(self.add_peer("node-c"), "1725349500000.10")
        self.add_facts("node-b", 3)

    def cursors(self) -> dict[tuple[str, str], str | None]:
        """Return every position by peer id and direction."""
        rows = self.run("SELECT peer_id, direction, cursor FROM replication_cursors")
        return {(peer_id, direction): cursor for peer_id, direction, cursor in rows}

    def contents(self) -> list[str]:
        """Return all that the database holds, as SQL."""
        with closing(sqlite3.connect(self.path)) as connection:
            # Full-text tables cannot be dumped without their shadow tables being writable.
            return [
                line for line in connection.iterdump() if not line.startswith("INSERT INTO sqlite_")
            ]


@dataclass(frozen=True)
class EncryptedDatabase(Database):
    """One file that SQLCipher encrypts."""

    key: str

    def connect(self) -> Any:
        """Open a connection with the key."""
        import sqlcipher3  # noqa: PLC0415

        connection = sqlcipher3.connect(str(self.path))
        connection.execute(f"PRAGMA key = \"x'{self.key}'\"")
        return connection


@dataclass(frozen=True)
class LibSQLDatabase(Database):
    """One libSQL file."""

    def connect(self) -> Any:
        """Open a connection with libSQL's own driver."""
        import libsql_experimental  # noqa: PLC0415

        return libsql_experimental.connect(str(self.path))


@dataclass(frozen=True)
class PostgresDatabase(Database):
    """The tables of one schema of a PostgreSQL database; the path is not used."""

    dsn: str
    schema: str = "public"

    def connect(self) -> Any:
        """Open a connection."""
        return postgres.connect(self._in_schema)

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and return its rows."""
        return postgres.query(self._in_schema, sql, parameters)

    @property
    def _in_schema(self) -> str:
        return f"{self.dsn}&options=-csearch_path%3D{self.schema}"
