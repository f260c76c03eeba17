"""A model node lives through losses and recoveries: no fact that a peer offers is ever skipped.

The node, its peers and their clocks are a model; the database is made by the host's migrations,
and export and import are the program's own, run in this process for speed.

``STEPS=10000 pytest tests/acceptance/test_never_skips_a_fact.py`` runs at least so many steps.
"""

import contextlib
import io
import os
import shutil
import tempfile
import uuid
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stigmem_cursor_plugin.cli import build_parser
from tests.database import Database

PAGE = 4
NAMES = ("node-b", "node-c")
STEPS_EACH = 50
STEPS = int(os.environ.get("STEPS", "500"))
NEW_FACTS = st.integers(1, 2 * PAGE)


class Node(RuleBasedStateMachine):
    """A node with two peers that offer facts in the order of their clocks."""

    migrated: Path
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.database = Database(self.directory / "stigmem.db")
        self.offered: dict[str, list[str]] = {name: [] for name in NAMES}
        self.checkpoints: list[Path] = []
        self.backups: list[Path] = []

    def teardown(self) -> None:
        """Remove the node's files."""
        shutil.rmtree(self.directory)

    @initialize()
    def start(self) -> None:
        """Begin with an empty database in which both peers are registered."""
        self.lose_the_database(keep_peers=False)

    def run(self, *arguments: str) -> int:
        """Run a command beside the node; no node answers on its port."""
        os.environ["STIGMEM_PORT"] = "1"
        with contextlib.redirect_stderr(io.StringIO()) as said:
            parsed = build_parser().parse_args([*arguments, "--db", str(self.database.path)])
            status = int(parsed.func(parsed))
        assert status != 1 or "error: " in said.getvalue()
        return status

    @rule(name=st.sampled_from(NAMES), count=NEW_FACTS)
    def offer(self, name: str, count: int) -> None:
        """A peer has new facts."""
        known = len(self.offered[name])
        self.offered[name] += [f"{name}-{number}" for number in range(known, known + count)]

    @rule(name=st.sampled_from(NAMES), count=st.integers(1, PAGE))
    def push(self, name: str, count: int) -> None:
        """A peer sends new facts on its own, ahead of those that were not pulled yet."""
        first = len(self.offered[name])
        self.offer(name, count)
        self.database.add_facts(name, count, first=first)

    @rule(name=st.sampled_from(NAMES), pages=st.integers(1, 3))
    def pull_some(self, name: str, pages: int) -> None:
        """Pull a few pages from a peer."""
        for _ in range(pages):
            self.pull(name)

    def pull(self, name: str) -> None:
        """Pull one page from a peer, as the node's loop does."""
        if not self._table_exists():
            return  # the host's pull loop fails in this state
        peer_id = self.database.run(
            "SELECT id FROM peers WHERE node_id = ?", [f"stigmem://{name}"]
        )[0][0]
        cursor = self.database.cursors().get((peer_id, "inbound"))
        # The clock of fact n is n + 1 ms: a position says how many facts it has seen.
        start = int(cursor.split(".")[0]) if cursor else 0
        page = self.offered[name][start : start + PAGE]
        for fact in page:
            if (fact,) not in self.database.run("SELECT id FROM facts WHERE id = ?", [fact]):
                self.database.add_facts(name, 1, first=int(fact.rsplit("-", 1)[1]))
        if page:
            self.database.set_cursor(peer_id, f"{start + len(page)}.0")

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
            self.database.add_peer(name, old.get(f"stigmem://{name}", str(uuid.uuid4())))

    def _peer_ids(self) -> dict[str, str]:
        return dict(self.database.run("SELECT node_id, id FROM peers"))

    @rule(name=st.sampled_from(NAMES))
    def register_again(self, name: str) -> None:
        """Remove a peer and its cursors and register it under a new id."""
        peer_id = self._peer_ids()[f"stigmem://{name}"]
        if self._table_exists():
            self.database.run("DELETE FROM replication_cursors WHERE peer_id = ?", [peer_id])
        self.database.run("DELETE FROM peers WHERE id = ?", [peer_id])
        self.database.add_peer(name, str(uuid.uuid4()))

    @rule(name=st.sampled_from(NAMES))
    def change_the_id(self, name: str) -> None:
        """Give a peer another id and take its cursors along."""
        old, new = self._peer_ids()[f"stigmem://{name}"], str(uuid.uuid4())
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

    @rule(force=st.booleans())
    def export(self, *, force: bool) -> None:
        """Take a checkpoint."""
        file = self.directory / f"checkpoint-{len(self.checkpoints)}.json"
        if self.run("export", "--out", str(file), *(["--force"] if force else [])) == 0:
            self.checkpoints.append(file)

    @precondition(lambda self: self.checkpoints)
    @rule(data=st.data(), flags=st.sets(st.sampled_from(["--force", "--no-undo", "--dry-run"])))
    def restore_checkpoints(self, data: st.DataObject, flags: set[str]) -> None:
        """Import one checkpoint or several, with any flags short of ``--accept-loss``."""
        chosen = data.draw(
            st.lists(st.sampled_from(self.checkpoints), min_size=1, max_size=3, unique=True)
        )
        status = self.run("import", *map(str, chosen), *sorted(flags))
        assert status in (0, 3)
        self.checkpoints += [
            file for file in self.directory.glob("*.undo-*.json") if file not in self.checkpoints
        ]

    @invariant()
    def what_a_position_says_is_true(self) -> None:
        """A position says: every fact up to here is in this database."""
        Node.steps += 1
        if not self._table_exists():
            return
        held = {fact for (fact,) in self.database.run("SELECT id FROM facts")}
        rows = self.database.run(
            "SELECT node_id, cursor FROM replication_cursors JOIN peers ON peers.id = peer_id"
            " WHERE cursor IS NOT NULL"
        )
        for node_id, cursor in rows:
            name = node_id.removeprefix("stigmem://")
            skipped = set(self.offered[name][: int(cursor.split(".")[0])]) - held
            assert not skipped, f"{name} stands at {cursor}, and these are missing: {skipped}"

    @rule()
    def pull_to_the_end(self) -> None:
        """Pull until nothing new comes: every fact that is offered must be there."""
        if not self._table_exists():
            return
        for name in NAMES:
            for _ in range(len(self.offered[name]) // PAGE + 2):
                self.pull(name)
            held = self.database.run(
                "SELECT id FROM facts WHERE received_from = ?", [f"stigmem://{name}"]
            )
            assert {fact for (fact,) in held} == set(self.offered[name])


def test_no_fact_is_skipped(migrated: Path) -> None:
    """Whatever is lost, restored, exported and imported in whatever order, nothing is skipped."""
    Node.migrated = migrated
    Node.TestCase.settings = settings(
        max_examples=max(1, STEPS // STEPS_EACH),
        stateful_step_count=STEPS_EACH,
        deadline=None,
        derandomize=STEPS <= 500,
        suppress_health_check=list(HealthCheck),
    )
    Node.TestCase().runTest()
    print(f"{Node.steps} steps")
    assert Node.steps >= STEPS / 2
