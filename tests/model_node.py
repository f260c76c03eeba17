"""A model of a node that lives through losses, with peers that offer facts.

The node, its peers and their clocks are a model; the database is made by the host's migrations.
The peers push, hand on each other's facts, and may be gone for good.
"""

import shutil
import tempfile
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.database import Database

PAGE = 4
NAMES = ("node-b", "node-c")
NEW_FACTS = st.integers(1, 2 * PAGE)


class ModelNode(RuleBasedStateMachine):
    """A node with two peers that offer facts in the order of their clocks."""

    migrated: Path

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.database = Database(self.directory / "stigmem.db")
        self.made: dict[str, int] = dict.fromkeys(NAMES, 0)
        self.offered: dict[str, list[str]] = {name: [] for name in NAMES}
        self.trusted: set[str] = set()
        self.gone: set[str] = set()
        self.pushes = False
        self.pull_interval = 30
        self.backups: list[Path] = []
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def teardown(self) -> None:
        """Remove the node's files."""
        shutil.rmtree(self.directory)

    @initialize(
        trusted=st.sets(st.sampled_from(NAMES)),
        pushes=st.booleans(),
        pull_interval=st.sampled_from([1, 4, 30]),
    )
    def start(self, trusted: set[str], pull_interval: int, *, pushes: bool) -> None:
        """Begin with an empty database in which both peers are registered."""
        self.trusted, self.pushes, self.pull_interval = trusted, pushes, pull_interval
        self.lose_the_database(keep_peers=False)

    @rule(name=st.sampled_from(NAMES), count=NEW_FACTS)
    def offer(self, name: str, count: int) -> None:
        """A peer has new facts."""
        known = self.made[name]
        self.made[name] += count
        self.offered[name] += [f"{name}/{number}" for number in range(known, known + count)]

    @rule(name=st.sampled_from(NAMES))
    def relay(self, name: str) -> None:
        """A peer takes what the other one offers, and offers it too."""
        other = next(other for other in NAMES if other != name)
        if not self.gone & {name, other}:
            known = set(self.offered[name])
            self.offered[name] += [fact for fact in self.offered[other] if fact not in known]

    @rule(name=st.sampled_from(NAMES))
    def lose_the_peer(self, name: str) -> None:
        """A peer is gone for good; what it offered comes from the other one or not at all."""
        self.gone.add(name)

    @precondition(lambda self: self.pushes)
    @rule(name=st.sampled_from(NAMES), count=st.integers(1, PAGE))
    def push(self, name: str, count: int) -> None:
        """A peer sends new facts on its own, ahead of those that were not pulled yet."""
        if name in self.gone or name not in self._peer_ids():
            return
        self.offer(name, count)
        self._tick()
        self._store(name, self.offered[name][-count:])

    @rule(name=st.sampled_from(NAMES), pages=st.integers(1, 3))
    def pull_some(self, name: str, pages: int) -> None:
        """Pull a few pages from a peer."""
        for _ in range(pages):
            self.pull(name)

    def pull(self, name: str) -> None:
        """Pull one page from a peer, as the node's loop does."""
        peer_id = self._peer_ids().get(name)
        # Without the table the host's pull loop fails.
        if name in self.gone or peer_id is None or not self._table_exists():
            return
        self._tick()
        cursor = self.database.cursors().get((peer_id, "inbound"))
        # The clock of the fact at index n is n + 1 ms: a position says how many were seen.
        start = int(cursor.split(".")[0]) if cursor else 0
        page = self.offered[name][start : start + PAGE]
        self._store(name, page)
        if page:
            self._set_position(peer_id, f"{start + len(page)}.0")

    def _tick(self) -> None:
        # The loop sleeps after the position moved.
        self.now += timedelta(seconds=self.pull_interval + 0.5)

    def _accepted(self, name: str, facts: Sequence[str]) -> list[str]:
        """Return the facts that the node takes from a peer: of others only from a trusted one."""
        return [fact for fact in facts if name in self.trusted or fact.startswith(f"{name}/")]

    def _held(self) -> set[str]:
        return {fact for (fact,) in self.database.run("SELECT id FROM facts")}

    def _store(self, name: str, facts: Sequence[str]) -> None:
        """Store facts as the host does, each with a fact of its own that says when it came."""
        sender, at = f"stigmem://{name}", self.now.isoformat()
        held = self._held()
        rows: list[tuple[str | None, ...]] = []
        for fact in self._accepted(name, facts):
            if fact not in held:
                origin = f"stigmem://{fact.split('/')[0]}"
                rows.append((fact, "e", "r", "v", at, sender, origin))
                meta = (fact, "stigmem:received_from", sender, at, None, None)
                rows.append((str(uuid.uuid4()), *meta))
        if rows:
            self.database.run(
                "INSERT INTO facts (id, entity, relation, value_v, timestamp, received_from,"
                " origin_node_id, scope, hlc, value_type, source, confidence) VALUES "
                + ",".join(
                    ["(?, ?, ?, ?, ?, ?, ?, 'public', '1.0', 'string', 's', 1)"] * len(rows)
                ),
                [value for row in rows for value in row],
            )

    def _set_position(self, peer_id: str, cursor: str) -> None:
        self.database.run(
            "INSERT INTO replication_cursors (peer_id, direction, cursor, updated_at)"
            " VALUES (?, 'inbound', ?, ?) ON CONFLICT (peer_id, direction)"
            " DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at",
            (peer_id, cursor, (self.now + timedelta(seconds=0.25)).isoformat()),
        )

    def _table_exists(self) -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE name = 'replication_cursors'"
        return bool(self.database.run(query))

    @rule()
    def lose_the_table(self) -> None:
        """Drop the cursor table."""
        self.database.run("DROP TABLE IF EXISTS replication_cursors")

    @rule()
    def lose_the_rows(self) -> None:
        """Empty the cursor table."""
        if self._table_exists():
            self.database.run("DELETE FROM replication_cursors")

    @rule(keep_peers=st.booleans())
    def lose_the_database(self, *, keep_peers: bool) -> None:
        """Begin with a new database; the peers keep their ids or are registered again."""
        old = self._peer_ids() if keep_peers else {}
        shutil.copy(self.migrated, self.database.path)
        for name in NAMES:
            self._add_peer(name, old.get(name, str(uuid.uuid4())))

    def _add_peer(self, name: str, peer_id: str) -> None:
        self.database.add_peer(name, peer_id)
        if name in self.trusted:
            self.database.run("UPDATE peers SET relay_trusted = 1 WHERE id = ?", [peer_id])

    def _peer_ids(self) -> dict[str, str]:
        rows = self.database.run("SELECT node_id, id FROM peers")
        return {node_id.removeprefix("stigmem://"): peer_id for node_id, peer_id in rows}

    @rule(name=st.sampled_from(NAMES))
    def remove_the_peer(self, name: str) -> None:
        """Remove a peer and its cursors."""
        peer_id = self._peer_ids().get(name)
        if self._table_exists():
            self.database.run("DELETE FROM replication_cursors WHERE peer_id = ?", [peer_id])
        self.database.run("DELETE FROM peers WHERE id = ?", [peer_id])

    @rule(name=st.sampled_from(NAMES))
    def register_again(self, name: str) -> None:
        """Remove a peer and its cursors and register it under a new id."""
        self.remove_the_peer(name)
        self._add_peer(name, str(uuid.uuid4()))

    @rule(name=st.sampled_from(NAMES))
    def change_the_id(self, name: str) -> None:
        """Give a peer another id and take its cursors along."""
        old, new = self._peer_ids().get(name), str(uuid.uuid4())
        self.database.run("UPDATE peers SET id = ? WHERE id = ?", [new, old])
        if self._table_exists():
            self.database.run(
                "UPDATE replication_cursors SET peer_id = ? WHERE peer_id = ?", [new, old]
            )

    @rule()
    def back_up(self) -> None:
        """Copy the database aside."""
        backup = self.directory / f"backup-{len(self.backups)}.db"
        shutil.copy(self.database.path, backup)
        self.backups.append(backup)

    @precondition(lambda self: self.backups)
    @rule(data=st.data())
    def restore_a_backup(self, data: st.DataObject) -> None:
        """Put an earlier database back."""
        shutil.copy(data.draw(st.sampled_from(self.backups)), self.database.path)
