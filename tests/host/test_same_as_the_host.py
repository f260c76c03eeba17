"""cursor-catchup leaves what the host's own loop leaves, for facts of every kind, on every host.

A real node pulls from a real peer, once by its own loop and once by the command, from the same
database. All that is in the two databases afterwards is compared, but for what is local to a run:
clocks, times and ids that were made in it.
"""

import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.offered import GARDEN, STOPPING, every_kind, offer, prepare_nodes, stopping
from tests.running import BIN, Finished, run_in
from tools.hosts import RELEASES, environment, pip
from tools.loopback import Node, running, wait_for

pytestmark = pytest.mark.slow

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
            [position],
        )
        self.a.settings.clear()
        self.a.settings.update(settings)

    def command(self, *arguments: str) -> Finished:
        """Run the command with the host of node a."""
        return run_in(
            self.a.directory,
            ("stigmem", "federation", "cursor-catchup", *arguments),
            environment=self.a.environment,
            binaries=self.a.binaries,
        )

    def both(
        self, settings: dict[str, str], position: str | None = None, *options: str
    ) -> tuple[Finished, Left, Left]:
        """Pull from *position*; return what the command said, what it left, what the loop left."""
        self.begin(settings, position)
        finished = self.command("--json", *options)
        ours = self._left()
        self.begin(settings, position)
        offset = self.a.log.stat().st_size
        # Its manifest is there already.
        self.a.start(publish=False)
        wait_for("the loop to end", lambda: self.position() == self.newest or self._failed(offset))
        self.a.stop()
        return finished, ours, self._left()

    def position(self) -> str | None:
        """Return the position of node b."""
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


@contextmanager
def staged(directory: Path, binaries: Path = BIN) -> Iterator[Scene]:
    """Start three nodes of the host in *binaries*: a pulls from b, which relays facts of c."""
    a, b, c = (Node(f"node-{name}", directory / name, binaries=binaries) for name in "abc")
    for node in (a, b, c):
        node.settings["STIGMEM_FEDERATION_PULL_INTERVAL_S"] = "3600"
    b.settings["STIGMEM_FEDERATION_RELAY_ENABLED"] = "true"
    with running(a, b, c):
        a.add_peer(b)
        b.add_peer(a)
        a.stop()
        prepare_nodes(a, b)
        scene = Scene(a, b)
        _, scene.newest = offer(b, every_kind(b, c))
        yield scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The nodes, of the newest host."""
    with staged(tmp_path_factory.mktemp("nodes")) as scene:
        yield scene


def test_everything_is_the_same(scene: Scene) -> None:
    """Facts, conflicts, quarantine, audit and position are those that the loop leaves."""
    finished, ours, host = scene.both(WITH_GARDEN)
    assert finished.returncode == 0, finished.stderr
    _everything_is_the_same(ours, host)


def test_everything_is_the_same_with_relays(scene: Scene) -> None:
    """So it is with relays, when told to go past facts whose origin cannot be verified now."""
    stopped, _, _ = scene.both(RELAYING)
    assert stopped.returncode == 3
    assert "stopped at fact relayed-by-nobody-id: " in stopped.stderr
    finished, ours, host = scene.both(RELAYING, None, "--skip-refused")
    assert finished.returncode == 0, finished.stderr
    _everything_is_the_same(ours, host)


def test_instruction_without_a_garden(scene: Scene) -> None:
    """Where the loop stops for ever, the command stops too, with the same facts."""
    finished, ours, host = scene.both({})
    assert finished.returncode == 3
    _stopped_alike(ours, host)


@pytest.mark.parametrize("name", STOPPING)
def test_fact_that_stops_the_loop(scene: Scene, name: str) -> None:
    """So it is with every fact that the host's code raises an error on."""
    position, scene.newest = offer(scene.b, stopping(name, scene.b))
    finished, ours, host = scene.both(WITH_GARDEN, position)
    assert finished.returncode == 3
    _stopped_alike(ours, host)


@pytest.mark.parametrize("release", RELEASES[:-1])
def test_older_host(release: str, wheel: Path, tmp_path: Path) -> None:
    """On an older host too: the same from each fact that stops its loop to the next, to the end."""
    with environment(release) as host:
        pip(host / "bin" / "python", "install", str(wheel))
        with staged(tmp_path, host / "bin") as scene:
            for name in STOPPING:
                _, scene.newest = offer(scene.b, stopping(name, scene.b))
            position, stops = None, []
            while position != scene.newest:
                finished, ours, theirs = scene.both(WITH_GARDEN, position)
                if finished.returncode == 0:
                    _everything_is_the_same(ours, theirs)
                    break
                _stopped_alike(ours, theirs)
                fact_id, reason = _stopped_at(finished)
                stops.append(reason)
                rows = scene.b.query("SELECT hlc FROM facts WHERE id = ?", [fact_id])
                position = rows[0][0]
            scene.begin(WITH_GARDEN, None)
            whole = scene.command("--skip-refused")
            assert whole.returncode == 0, whole.stderr
            assert scene.position() == scene.newest
    print(f"{release}: the same in {len(stops) + 1} parts; {whole.stderr.splitlines()[-1]}")
    print(*(f"  stops: {reason}" for reason in stops), sep="\n")


def _stopped_at(finished: Finished) -> tuple[str, str]:
    (peer,) = json.loads(finished.stdout)["peers"]
    found = re.fullmatch(r"stopped at fact (\S+): (.*); --skip-refused .*", peer["message"])
    assert found is not None, finished.stderr
    return found[1], found[2]


def _everything_is_the_same(ours: Left, host: Left) -> None:
    for table in host:
        assert ours[table] == host[table], table


def _stopped_alike(ours: Left, host: Left) -> None:
    assert ours["facts"] == host["facts"]
    # The loop begins the page again and again, and notes again what it rejects.
    for table in host.keys() - {"facts", "replication_cursors"}:
        assert set(ours[table]) == set(host[table]), table
