"""Play the runbook on two real nodes, section by section.

Usage: python -m tools.runbook    puts the outputs of the commands into docs/runbook.md

``systemctl`` and ``curl``, which approves a peer, are done here: a test has no service manager,
and that line has placeholders. Everything else runs as it stands on the page.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tools.console import BLOCK, COMMAND
from tools.hosts import ROOT
from tools.loopback import Node
from tools.stories import (
    Stage,
    backup,
    checkpoint,
    drop_the_table,
    empty_the_table,
    lose_the_facts,
    run_on,
)

PAGE = ROOT / "docs" / "runbook.md"


@dataclass(frozen=True)
class Step:
    """A command of the page, the output shown for it, and the one that it had."""

    command: str
    shown: str
    printed: str


def sections(text: str) -> dict[str, str]:
    """Return the sections that have commands, by heading."""
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    found = zip(parts[1::2], parts[2::2], strict=True)
    return {heading: body for heading, body in found if BLOCK.search(body)}


def play(stage: Stage, heading: str, body: str) -> Iterator[Step]:
    """Play a section on nodes of its own."""
    with stage.nodes(re.sub(r"\W", "-", heading)) as (a, b):
        scene = Scene(a, b)
        LOSSES.get(heading, run_on)(a, b)
        for block in BLOCK.findall(body):
            for command, shown in COMMAND.findall(block):
                yield Step(command, shown, scene.run(command))


def lose_everything(a: Node, _b: Node) -> None:
    """Lose the database."""
    a.database.unlink()


def lose_positions_of_backup(a: Node, _b: Node) -> None:
    """Lose the database; the backup has no positions."""
    a.database.unlink()
    Node.query(_backup_of(a), "DELETE FROM replication_cursors")


def lose_the_peer(a: Node, b: Node) -> None:
    """Lose the positions, and the peer that could be asked."""
    empty_the_table(a, b)
    b.stop()


def _backup_of(a: Node) -> Node:
    return replace(a, directory=a.directory / "backups", _process=None)


KEY = "5e" * 32
"""The API key that the page has the operator make."""

LOSSES: dict[str, Callable[[Node, Node], None]] = {
    "Table dropped": drop_the_table,
    "Database lost, with a backup": lose_positions_of_backup,
    "Database wholly lost": lose_everything,
    "Positions withheld": lose_the_facts,
    "No checkpoint at all": drop_the_table,
    "A peer is gone for good": lose_the_peer,
}


class Scene:
    """The machine that the page describes, in a directory of the node."""

    def __init__(self, a: Node, b: Node) -> None:
        """Lay out backup and checkpoints as the page says."""
        self._a, self._b = a, b
        self._backups = a.directory / "backups"
        cursors = self._backups / "cursors"
        cursors.mkdir(parents=True)
        for name in ("night", "latest"):
            written = checkpoint(a, name, plugin=True)
            shutil.copy(written, cursors / _name_in_directory(written))
        shutil.copy(checkpoint(a, "night", plugin=True), self._backups / "old.json")
        shutil.copy(checkpoint(a, "staging", plugin=True), self._backups / "staging.json")
        backup(a.directory / "night.db", self._backups / "stigmem.db")

    def run(self, command: str) -> str:
        """Run a command of the page and return what it printed."""
        if command == "systemctl stop stigmem-node":
            self._a.stop()
            return ""
        if command == "systemctl start stigmem-node":
            self._start()
            return ""
        if command.startswith("export "):
            return ""
        if command.startswith("curl "):
            ((peer_id,),) = self._a.query("SELECT id FROM peers")
            self._a.approve(self._b, peer_id)
            return ""
        on_peer = command.startswith("stigmem federation register-peer")
        finished = subprocess.run(
            ["bash", "-c", self._here(command)],
            cwd=self._a.directory,
            env=(self._b.environment if on_peer else self._environment()) | {"KEY": KEY},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return self._there(finished.stdout)

    def _environment(self) -> dict[str, str]:
        # As on the page: the default interval, whatever the nodes here have.
        environment = self._a.environment
        del environment["STIGMEM_FEDERATION_PULL_INTERVAL_S"]
        return environment

    def _here(self, text: str) -> str:
        for there, here in self._places():
            text = text.replace(there, here)
        return text

    def _there(self, text: str) -> str:
        for there, here in self._places():
            text = text.replace(here, there)
        return text

    def _places(self) -> list[tuple[str, str]]:
        return [
            ("/var/backups/stigmem", str(self._backups)),
            ("/var/lib/stigmem", str(self._a.directory)),
            ("http://node-a:8765", self._a.url),
        ]

    def _start(self) -> None:
        if not self._a.query("SELECT 1 FROM peers"):
            # What it fetches before the import on the page would change what that says.
            self._a.settings["STIGMEM_FEDERATION_PULL_INTERVAL_S"] = "3600"
            self._a.prepare()
            self._a.start()
            return
        self._a.settings.clear()
        if self._b.is_running:
            run_on(self._a, self._b)
        else:
            self._a.start()


def _name_in_directory(written: Path) -> str:
    """Return the name that export gives to a checkpoint in a directory."""
    time = json.loads(written.read_bytes())["checkpoint_timestamp"]
    return f"cursors-{re.sub('[-:]', '', time)}.json"


def steady(text: str) -> str:
    """Blank what differs from run to run: times, ages, and the columns that they widen."""
    text = re.sub(r"\d{8}T\d{6}Z(_\d+)?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"\b\d+ (s|min|h) ?(old|ago)?\b", "AGE", text)
    text = re.sub(r"peer_id=[0-9a-f-]+", "peer_id=ID", text)
    text = re.sub(r"restored under its new id \S+", "restored under its new id ID", text)
    return re.sub(r" {2,}", "  ", text)


def main() -> None:
    """Fill in what the commands print."""
    text = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as directory:
        stage = Stage(Path(directory))
        for heading, body in sections(text).items():
            print(heading, file=sys.stderr)
            played = iter(list(play(stage, heading, body)))
            text = text.replace(body, BLOCK.sub(lambda block: _filled(block[1], played), body))  # noqa: B023
    PAGE.write_text(text, encoding="utf-8")


def _filled(block: str, played: Iterator[Step]) -> str:
    steps = [next(played) for _ in COMMAND.findall(block)]
    lines = "".join(f"$ {step.command}\n{step.printed}" for step in steps)
    return f"```console\n{lines}```"


if __name__ == "__main__":
    main()
