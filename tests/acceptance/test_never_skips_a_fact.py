"""A node lives through losses and recoveries: no fact that a peer offers is ever skipped.

The node is a model (:mod:`tests.model_node`). Export, check and import are the program's own, run
in this process for speed. The operator also has checkpoints of the host's own export, which count
no facts.

``STEPS=10000 pytest tests/acceptance/test_never_skips_a_fact.py`` runs at least so many steps.
"""

import contextlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from stigmem_cursor_plugin.cli import build_parser
from tests.model_node import NAMES, PAGE, ModelNode

STEPS_EACH = 50
STEPS = int(os.environ.get("STEPS", "500"))


class Node(ModelNode):
    """The model, with an operator who exports, checks and imports."""

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.checkpoints: list[Path] = []
        # Rule 5 of the witness: a checkpoint that counts no facts, a peer that kept its id, and
        # none of its facts. The runbook says that the position is restored, so it is, with a
        # warning. These are the facts that were not there at that moment, and no others.
        self.given_up: set[str] = set()

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command beside the node; no node answers on its port."""
        settings = {
            "STIGMEM_PORT": "1",
            "STIGMEM_FEDERATION_PUSH_ENABLED": str(self.pushes),
            "STIGMEM_FEDERATION_PULL_INTERVAL_S": str(self.pull_interval),
        }
        out = contextlib.redirect_stdout(io.StringIO())
        environment = mock.patch.dict(os.environ, settings)
        with environment, out, contextlib.redirect_stderr(io.StringIO()) as said:
            parsed = build_parser().parse_args([*arguments, "--db", str(self.database.path)])
            status = int(parsed.func(parsed))
        assert status != 1 or "error: " in said.getvalue()
        return status, said.getvalue()

    @rule(pages=st.integers(0, 3))
    def lose_the_facts_alone(self, pages: int) -> None:
        """Lose the facts and keep the positions; do what cursor-check and cursor-export advise."""
        file = self.directory / "latest.json"
        file.unlink(missing_ok=True)
        if not self._table_exists() or self.run("export", "--out", str(file))[0] != 0:
            return
        rows = self.database.run("SELECT peer_id, cursor, updated_at FROM replication_cursors")
        known = self._peer_ids()
        self.lose_the_database(keep_peers=True)
        for name in NAMES:
            if name not in known:
                self.remove_the_peer(name)
        for row in rows:
            self.database.run("INSERT INTO replication_cursors VALUES (?, 'inbound', ?, ?)", row)
        for name in NAMES * pages:
            self.pull(name)
        if self._skipped():
            kept = file.read_bytes()
            checked, said = self.run("check", str(file))
            exported, refused = self.run("export", "--out", str(file))
            assert (checked, exported, file.read_bytes()) == (1, 1, kept)
            for message in (said, refused):
                assert re.search(rf"cursor import .*--force {file}", message), message
            assert self.run("import", "--force", str(file))[0] == 3
        assert not self._skipped()
        file.unlink()

    @rule(force=st.booleans())
    def export(self, *, force: bool) -> None:
        """Take a checkpoint."""
        file = self._next_checkpoint()
        if self.run("export", "--out", str(file), *(["--force"] if force else []))[0] == 0:
            self.checkpoints.append(file)

    def _next_checkpoint(self) -> Path:
        return self.directory / f"checkpoint-{len(self.checkpoints)}.json"

    @rule()
    def export_by_the_host(self) -> None:
        """Take a checkpoint as the host's own command does: the documented fields alone."""
        if not self._table_exists():
            return
        rows = self.database.run(
            "SELECT peers.id, node_id, node_url, status, cursor, updated_at"
            " FROM replication_cursors JOIN peers ON peers.id = peer_id"
        )
        names = ("peer_id", "peer_node_id", "peer_url", "peer_status", "cursor", "updated_at")
        document = {
            "checkpoint_timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "db_path": str(self.database.path),
            "cursors": [
                {**dict(zip(names, row, strict=True)), "direction": "inbound"} for row in rows
            ],
        }
        file = self._next_checkpoint()
        file.write_text(json.dumps(document))
        self.checkpoints.append(file)

    @precondition(lambda self: self.checkpoints)
    @rule(data=st.data(), flags=st.sets(st.sampled_from(["--force", "--no-undo", "--dry-run"])))
    def restore_checkpoints(self, data: st.DataObject, flags: set[str]) -> None:
        """Import one checkpoint or several, with any flags short of ``--accept-loss``."""
        chosen = data.draw(
            st.lists(st.sampled_from(self.checkpoints), min_size=1, max_size=3, unique=True)
        )
        status, said = self.run("import", *map(str, chosen), *sorted(flags))
        assert status in (0, 3), said
        on_trust = re.findall(
            r"peer stigmem://(\S+) \(inbound\): the checkpoint counts no facts, and .* from this "
            r"peer; if it ever held some, the node never fetches them",
            said,
        )
        if "--dry-run" not in flags:
            skipped = self._skipped()
            self.given_up |= {fact for name in on_trust for fact in skipped.get(name, ())}
        self.checkpoints += [
            file for file in self.directory.glob("*.undo-*.json") if file not in self.checkpoints
        ]

    def _skipped(self) -> dict[str, set[str]]:
        """Return the facts by peer that a position counts as held, and that are not there."""
        if not self._table_exists():
            return {}
        held = self._held() | self.given_up
        rows = self.database.run(
            "SELECT node_id, cursor FROM replication_cursors JOIN peers ON peers.id = peer_id"
            " WHERE cursor IS NOT NULL"
        )
        found = {}
        for node_id, cursor in rows:
            name = node_id.removeprefix("stigmem://")
            seen = self.offered[name][: int(cursor.split(".")[0])]
            found[name] = set(self._accepted(name, seen)) - held
        return {name: facts for name, facts in found.items() if facts}

    @invariant()
    def what_a_position_says_is_true(self) -> None:
        """A position says: every fact up to here is in this database."""
        Node.steps += 1
        assert not self._skipped()

    @rule()
    def pull_to_the_end(self) -> None:
        """Pull until nothing new comes: every fact that is still offered must be there."""
        if not self._table_exists():
            return
        for name in self._peer_ids():
            for _ in range(len(self.offered[name]) // PAGE + 2):
                self.pull(name)
        held = self._held() | self.given_up
        for name in self._peer_ids().keys() - self.gone:
            assert set(self._accepted(name, self.offered[name])) <= held


def started(migrated: Path, *, pull_interval: int = 30, pushes: bool = False) -> Iterator[Node]:
    """Start a node without relays, of which a test plays the steps."""
    Node.migrated = migrated
    node = Node()
    node.start(set(), pull_interval, pushes=pushes)
    yield node
    node.teardown()


@pytest.fixture
def quick(migrated: Path) -> Iterator[Node]:
    """A node that pulls each second."""
    yield from started(migrated, pull_interval=1)


@pytest.fixture
def pushing(migrated: Path) -> Iterator[Node]:
    """A node that takes facts that peers push."""
    yield from started(migrated, pushes=True)


def test_backup_between_two_quick_pages(quick: Node) -> None:
    """A page received shortly before the last one does not show that the last one is there."""
    quick.offer("node-b", 2 * PAGE)
    quick.pull("node-b")
    quick.back_up()
    quick.pull("node-b")
    quick.export_by_the_host()
    quick.lose_the_rows()
    assert quick.run("import", str(quick.checkpoints[0]))[0] == 0
    shutil.copy(quick.backups[0], quick.database.path)
    quick.lose_the_rows()
    assert quick.run("import", str(quick.checkpoints[0]))[0] == 3
    assert not quick._skipped()


def test_count_made_up_of_pushed_facts(pushing: Node) -> None:
    """Facts that were pushed after a loss do not make up for one that was pushed before it."""
    pushing.offer("node-b", PAGE)
    pushing.push("node-b", 1)
    pushing.pull_some("node-b", 2)
    pushing.export(force=False)
    pushing.lose_the_database(keep_peers=True)
    pushing.pull("node-b")
    pushing.push("node-b", 1)
    pushing.lose_the_rows()
    assert pushing.run("import", str(pushing.checkpoints[0]))[0] == 3
    assert not pushing._skipped()


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
