"""A node's database for a test: made by the host's own migrations, filled with plain SQL."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NODE_ID = "stigmem://node-a"


@dataclass(frozen=True)
class Database:
    """One SQLite file."""

    path: Path

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and return its rows."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(sql, parameters).fetchall()

    def add_peer(self, name: str, peer_id: str | None = None, status: str = "active") -> str:
        """Add a peer with the node id ``stigmem://{name}`` and return its peer id."""
        peer_id = peer_id or f"id-of-{name}"
        self.run(
            "INSERT INTO peers (id, node_id, node_url, federation_pubkey, allowed_scopes, status,"
            " declaration_sig, signed_at) VALUES (?, ?, ?, 'key', '[]', ?, 'sig', '2026')",
            (peer_id, f"stigmem://{name}", f"http://{name}:8765", status),
        )
        return peer_id

    def set_cursor(
        self, peer_id: str, cursor: str | None, direction: str = "inbound", at: str = "2026-05-02"
    ) -> None:
        """Set a position, last moved on the given day at 18:25 UTC."""
        self.run(
            "INSERT OR REPLACE INTO replication_cursors VALUES (?, ?, ?, ?)",
            (peer_id, direction, cursor, f"{at}T18:25:00.123456+00:00"),
        )

    def add_facts(self, name: str, count: int, first: int = 0) -> None:
        """Add facts received from the peer *name*, with ids ``{name}-0`` and so on."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany(
                "INSERT INTO facts (id, entity, relation, value_type, value_v, source, timestamp,"
                " confidence, scope, hlc, received_from)"
                " VALUES (?, 'e', 'r', 'string', 'v', 's', '2026', 1, 'public', '1.0', ?)",
                [(f"{name}-{n}", f"stigmem://{name}") for n in range(first, first + count)],
            )

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
