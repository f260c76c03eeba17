"""Losses and recoveries on real nodes, each played with the host's commands and with these.

Usage: python -m tools.stories [NAME ...]    prints the table of docs/comparison.md

A peer offers 35 facts: 20 were there at last night's backup, 10 more at the last checkpoint, and
5 came while the node was down. After each story: does the node hold all of them, and how many
did it fetch to get there? Where nodes relay, the peer is gone for good in the end, and another
one has all of its facts.
"""

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from stigmem_cursor_plugin.core.witness import PAGE_STORED_WITHIN
from tools.loopback import Node, caught_up, relaying_nodes, two_nodes, wait_for

LAST_NIGHT, LAST_CHECKPOINT, SINCE = 20, 10, 5
OFFERED = LAST_NIGHT + LAST_CHECKPOINT + SINCE
BETWEEN_PAGES = PAGE_STORED_WITHIN.total_seconds() + 1
"""Seconds from one page to the next, as with real intervals: the nodes here pull each second."""
IDLE_PULLS = 3
"""Pulls that bring nothing, or fail, after which a node is taken to have ended where it is."""


@dataclass(frozen=True)
class Ending:
    """What a story came to: facts held, facts fetched after the recovery, and what import said."""

    held: int
    fetched: int
    status: int
    said: str


class Stage:
    """Stopped nodes with a history, from which every story starts afresh."""

    def __init__(self, directory: Path, *, relays: bool = False) -> None:
        """Make the history: facts, last night's backup, checkpoints of both programs."""
        self._directory = directory
        start = relaying_nodes if relays else two_nodes
        with start(directory / "origin") as (a, b, *others):
            self._a, self._b = a, b
            self._relay = others[0] if others else None
            if self._relay is not None:
                self._relay.stop()
            self._checkpoint("night", LAST_NIGHT)
            backup(a.database, a.directory / "night.db")
            time.sleep(BETWEEN_PAGES)
            self._checkpoint("latest", LAST_CHECKPOINT)
            _make_staging(a)
            a.stop()
            b.post_facts(f"since-{number}" for number in range(SINCE))
            self._relay_all()
            b.stop()

    def _checkpoint(self, name: str, facts: int) -> None:
        a, b = self._a, self._b
        b.post_facts(f"{name}-{number}" for number in range(facts))
        wait_for("facts to federate", lambda: caught_up(a, b) and a.cursor(b) == newest(b))
        self._relay_all(a)
        for plugin in (True, False):
            stigmem(a, plugin, "cursor-export", "--out", str(checkpoint(a, name, plugin)))

    def _relay_all(self, receiver: Node | None = None) -> None:
        """Have the relay, where there is one, fetch what the peer offers, and offer it too.

        It runs only now, so node a has every fact from the peer first.
        """
        relay = self._relay
        if relay is None:
            return
        relay.start()
        wait_for("the relay to catch up", lambda: caught_up(relay, self._b))
        if receiver is not None:
            wait_for("node a to see it all", lambda: receiver.cursor(relay) == newest(relay))
        relay.stop()

    @contextmanager
    def nodes(self, name: str) -> Iterator[tuple[Node, Node]]:
        """Yield copies of node a and of the one that it can fetch from, which runs."""
        scene = self._directory / name
        shutil.copytree(self._directory / "origin", scene)
        a, b = (
            replace(
                node,
                directory=scene / node.directory.name,
                settings=dict(node.settings),
                _process=None,
            )
            for node in (self._a, self._relay or self._b)
        )
        b.start()
        try:
            yield a, b
        finally:
            a.stop()
            b.stop()


def _make_staging(a: Node) -> None:
    """Take checkpoints of a copy of the node that goes by another id and has pulled more."""
    copy = replace(a, name="staging", directory=a.directory / "staging", _process=None)
    copy.directory.mkdir()
    backup(a.database, copy.database)
    copy.query("UPDATE node_meta SET value = ? WHERE key = 'node_id'", [copy.node_id])
    copy.query("UPDATE replication_cursors SET cursor = '9' || cursor")
    for plugin in (True, False):
        stigmem(copy, plugin, "cursor-export", "--out", str(checkpoint(a, "staging", plugin)))


def checkpoint(a: Node, name: str, plugin: bool) -> Path:
    """Return where a program's checkpoint is kept."""
    directory = a.directory / ("checkpoints" if plugin else "host-checkpoints")
    directory.mkdir(exist_ok=True)
    return directory / f"{name}.json"


def stigmem(node: Node, plugin: bool, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``stigmem federation`` with or without this plugin."""
    return subprocess.run(
        ["stigmem", "federation", *arguments],
        cwd=node.directory,
        env={**node.environment, "STIGMEM_CLI_PLUGINS": "" if plugin else "off"},
        check=False,
        capture_output=True,
        text=True,
    )


def backup(source: Path, target: Path) -> None:
    """Copy a database as SQLite's own backup does."""
    with closing(sqlite3.connect(source)) as opened, closing(sqlite3.connect(target)) as copy:
        opened.backup(copy)


def newest(b: Node) -> str:
    """Return the newest clock that a node offers."""
    return str(b.query("SELECT MAX(hlc) FROM facts WHERE entity LIKE 'demo:%'")[0][0])


def facts_of(node: Node) -> set[str]:
    """Return the ids of the facts at a node, whoever they are from."""
    return {row[0] for row in node.query("SELECT id FROM facts WHERE entity LIKE 'demo:%'")}


Loss = Callable[[Node, Node], None]
Given = Callable[[Node, bool], Sequence[str]]


def drop_the_table(a: Node, _b: Node) -> None:
    """Lose the cursor table."""
    a.query("DROP TABLE replication_cursors")


def empty_the_table(a: Node, _b: Node) -> None:
    """Lose every row of the cursor table."""
    a.query("DELETE FROM replication_cursors")


def lose_the_database(a: Node, b: Node) -> None:
    """Start with a new database and register the peers again."""
    a.database.unlink()
    a.prepare()
    # Registering needs a running node; it must not pull before the import.
    a.settings["STIGMEM_FEDERATION_PULL_INTERVAL_S"] = "3600"
    a.start()
    a.add_peer(b)
    a.stop()
    del a.settings["STIGMEM_FEDERATION_PULL_INTERVAL_S"]


def lose_the_facts(a: Node, _b: Node) -> None:
    """Lose facts and positions; the peers keep their ids."""
    guards = a.query(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'facts'"
    )
    for name, _ in guards:
        a.query(f"DROP TRIGGER {name}")
    for table in ("facts", "facts_fts", "replication_cursors"):
        a.query(f"DELETE FROM {table}")  # noqa: S608
    for _, guard in guards:
        a.query(guard)


def restore_last_night(a: Node, _b: Node) -> None:
    """Restore last night's backup, of which the positions cannot be used."""
    a.database.unlink()
    backup(a.directory / "night.db", a.database)
    a.query("DELETE FROM replication_cursors")


def run_on(a: Node, b: Node) -> None:
    """Leave the node running and up to date."""
    a.start()
    wait_for("node a to catch up", lambda: caught_up(a, b) and a.cursor(b) == newest(b))


def latest(a: Node, plugin: bool) -> Sequence[str]:
    """Import the latest checkpoint."""
    return [str(checkpoint(a, "latest", plugin))]


def latest_of_the_host(a: Node, _plugin: bool) -> Sequence[str]:
    """Import the latest checkpoint of the host's own export, which counts no facts."""
    return [str(checkpoint(a, "latest", plugin=False))]


def directory_or_latest(a: Node, plugin: bool) -> Sequence[str]:
    """Import the directory of checkpoints; the host takes one file: the latest."""
    if not plugin:
        return latest(a, plugin)
    (a.directory / "checkpoints" / "staging.json").unlink()
    return [str(a.directory / "checkpoints")]


def staging(a: Node, plugin: bool) -> Sequence[str]:
    """Import the checkpoint of the staging copy."""
    return [str(checkpoint(a, "staging", plugin))]


def night_by_force(a: Node, plugin: bool) -> Sequence[str]:
    """Import last night's checkpoint over the positions that are there."""
    return [str(checkpoint(a, "night", plugin)), "--force"]


@dataclass(frozen=True)
class Story:
    """How a node loses what it had, and what is imported then."""

    lose: Loss
    given: Given
    command: str
    """What it is called on the command line: ``make story-dropped``."""
    relays: bool = False


STORIES: dict[str, Story] = {
    "cursor table dropped": Story(drop_the_table, latest, "dropped"),
    "database lost, peers registered again": Story(lose_the_database, latest, "lost"),
    "facts and positions lost, peers kept": Story(lose_the_facts, latest, "facts"),
    "last night's backup, directory of checkpoints": Story(
        restore_last_night, directory_or_latest, "backup"
    ),
    "host's own checkpoint, database lost, peers registered again": Story(
        lose_the_database, latest_of_the_host, "host-checkpoint"
    ),
    "host's own checkpoint, last night's backup": Story(
        restore_last_night, latest_of_the_host, "host-checkpoint"
    ),
    "last night's backup, the peer gone, its facts at a relay": Story(
        restore_last_night, latest, "relay", relays=True
    ),
    "the same, directory of checkpoints": Story(
        restore_last_night, directory_or_latest, "relay", relays=True
    ),
    "checkpoint of a staging copy": Story(empty_the_table, staging, "staging"),
    "import while the node runs": Story(run_on, night_by_force, "running"),
}


def play(stage: Stage, name: str, plugin: bool) -> Ending:
    """Play one story to its end with one of the two programs."""
    story = STORIES[name]
    scene = f"{list(STORIES).index(name)}-{'plugin' if plugin else 'host'}"
    with stage.nodes(scene) as (a, b):
        story.lose(a, b)
        offset = b.log.stat().st_size
        errors = a.log.stat().st_size
        said = stigmem(a, plugin, "cursor-import", *story.given(a, plugin))
        if story.lose is not run_on:
            a.start()
        wait_for(f"{name} to end", lambda: _ended(a, b, offset, errors))
        held = len(facts_of(a) & facts_of(b))
        return Ending(held, sum(b.pulls_served(offset)), said.returncode, said.stderr)


def _ended(a: Node, b: Node, offset: int, errors: int) -> bool:
    idle = [facts for facts in b.pulls_served(offset)[-IDLE_PULLS:] if facts == 0]
    failed = a.log.read_bytes()[errors:].count(b"Unexpected error in pull loop")
    return len(idle) == IDLE_PULLS or failed >= IDLE_PULLS


def row(story: str, host: Ending, plugin: Ending) -> str:
    """Return a row of the table."""
    cells = [f"{ending.held} of {OFFERED} | {ending.fetched}" for ending in (host, plugin)]
    return f"| {story} | {' | '.join(cells)} | `make story-{STORIES[story].command}` |"


HEADING = (
    "| what happened | host: facts held | fetched | plugin: facts held | fetched | see it |\n"
    "|---|---|---|---|---|---|"
)


def main() -> int:
    """Print the table; exit status 1 if a fact was skipped with this plugin."""
    skipped = False
    asked = [
        name for name, story in STORIES.items() if not sys.argv[1:] or story.command in sys.argv[1:]
    ]
    with tempfile.TemporaryDirectory(prefix="stigmem-stories-") as directory:
        print(HEADING)
        stages = {
            relays: Stage(Path(directory) / f"relays-{relays}", relays=relays)
            for relays in {STORIES[name].relays for name in asked}
        }
        for name in asked:
            stage = stages[STORIES[name].relays]
            host, plugin = play(stage, name, plugin=False), play(stage, name, plugin=True)
            print(row(name, host, plugin), flush=True)
            skipped |= plugin.held < OFFERED
    return 1 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
