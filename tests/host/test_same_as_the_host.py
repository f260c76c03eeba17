"""cursor-catchup leaves what the host's own loop leaves, for facts of every kind.

A real node pulls from a real peer, once by its own loop and once by the command, from the same
database. All that is in the two databases afterwards is compared, but for what is local to a run:
clocks, times and ids that were made in it.
"""

import re
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.offered import GARDEN, STOPPING, every_kind, offer, prepare_nodes, stopping
from tests.running import Finished, run_in
from tools.loopback import Node, wait_for

pytestmark = pytest.mark.long

MADE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\b\d{13}\.\d+\b"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)"
)
"""An id, a clock, a time."""
Left = dict[str, Counter[tuple[str, ...]]]
WITH_GARDEN = {"STIGMEM_QUARANTINE_GARDEN_ID": GARDEN}
RELAYING = {**WITH_GARDEN, "STIGMEM_FEDERATION_RELAY_ENABLED": "true"}


@dataclass
class Scene:
    """Node a, stopped, and node b, which it pulls from."""

    a: Node
    b: Node
    newest: str = ""

    def __post_init__(self) -> None:
        """Keep the database of node a."""
        self._before = self.a.directory / "before.db"
        shutil.copy(self.a.database, self._before)

    def begin(self, settings: dict[str, str], position: str | None) -> None:
        """Put node a back to where it was, with *settings*, and *position* for node b."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.a.database}{suffix}").unlink(missing_ok=True)
        shutil.copy(self._before, self.a.database)
        self.a.query(
            "INSERT INTO replication_cursors SELECT id, 'inbound', ?, '2026' FROM peers",
            [position],  # type: ignore[list-item]
        )
        self.a.settings.clear()
        self.a.settings.update(settings)

    def both(
        self, settings: dict[str, str], position: str | None = None
    ) -> tuple[Finished, Left, Left]:
        """Pull from *position*; return what the command said, what it left, what the loop left."""
        self.begin(settings, position)
        command = ("stigmem", "federation", "cursor-catchup")
        finished = run_in(self.a.directory, command, environment=self.a.environment)
        ours = self._left()
        self.begin(settings, position)
        offset = self.a.log.stat().st_size
        # Its manifest is there already.
        self.a.start(publish=False)
        wait_for("the loop to end", lambda: self._position() == self.newest or self._failed(offset))
        self.a.stop()
        return finished, ours, self._left()

    def _position(self) -> str | None:
        rows = self.a.query("SELECT cursor FROM replication_cursors")
        return rows[0][0] if rows else None

    def _failed(self, offset: int) -> bool:
        return b"Unexpected error in pull loop" in self.a.log.read_bytes()[offset:]

    def _left(self) -> Left:
        # What the peer offers, or was there before, is no clock or id of this run.
        known = {
            found[0]
            for path in (self._before, self.b.database)
            for _, rows in _tables(path)
            for found in MADE.finditer(str(rows))
        }
        return {
            table: Counter(
                tuple(
                    MADE.sub(lambda it: it[0] if it[0] in known else "MADE", str(value))
                    for value in row
                )
                for row in rows
            )
            for table, rows in _tables(self.a.database)
        }


def _tables(database: Path) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    # The search index follows from the facts.
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'facts_fts%'"
        ).fetchall()
        for (table,) in tables:
            yield table, connection.execute(f"SELECT * FROM {table}").fetchall()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Three nodes: a pulls from b, which relays facts of c."""
    directory = tmp_path_factory.mktemp("nodes")
    a, b, c = (Node(f"node-{name}", directory / name) for name in "abc")
    for node in (a, b, c):
        node.settings["STIGMEM_FEDERATION_PULL_INTERVAL_S"] = "3600"
    b.settings["STIGMEM_FEDERATION_RELAY_ENABLED"] = "true"
    try:
        for node in (a, b, c):
            node.prepare()
            node.start()
        a.add_peer(b)
        b.add_peer(a)
        a.stop()
        prepare_nodes(a, b)
        scene = Scene(a, b)
        _, scene.newest = offer(b, every_kind(b, c))
        yield scene
    finally:
        for node in (a, b, c):
            node.stop(signal.SIGKILL)


@pytest.mark.parametrize("settings", [WITH_GARDEN, RELAYING], ids=["direct", "relaying"])
def test_everything_is_the_same(scene: Scene, settings: dict[str, str]) -> None:
    """Facts, conflicts, quarantine, audit and position are those that the loop leaves."""
    finished, ours, host = scene.both(settings)
    assert finished.returncode == 0, finished.stderr
    for table in host:
        assert ours[table] == host[table], table


def test_instruction_without_a_garden(scene: Scene) -> None:
    """Where the loop stops for ever, the command stops too, with the same facts."""
    finished, ours, host = scene.both({})
    assert finished.returncode == 3
    _stopped_alike(ours, host)


@pytest.mark.slow
@pytest.mark.parametrize("name", STOPPING)
def test_fact_that_stops_the_loop(scene: Scene, name: str) -> None:
    """So it is with every fact that the host's code raises an error on."""
    position, scene.newest = offer(scene.b, stopping(name, scene.b))
    finished, ours, host = scene.both(WITH_GARDEN, position)
    assert finished.returncode == 3
    _stopped_alike(ours, host)


def _stopped_alike(ours: Left, host: Left) -> None:
    assert ours["facts"] == host["facts"]
    # The loop begins the page again and again, and notes again what it rejects.
    for table in host.keys() - {"facts", "replication_cursors"}:
        assert set(ours[table]) == set(host[table]), table
