"""A node and what is scheduled beside it, as ``contrib/`` does: exports, backups, clients."""

import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, RLock, Thread

import httpx

from soak import backups
from soak.disks import mount
from soak.journal import Journal, Run
from tools.loopback import Node

EXPORT_EVERY = 6.0
"""Seconds from one export to the next, to the directory and to the FILE."""
BACKUP_EVERY = 15.0
WRITE_EVERY = 0.5
KEPT_CHECKPOINTS = 20
ALARM_WITHIN = 120.0
"""Seconds in which the schedule has run an export, also on a busy machine."""
LONGEST_RUN = 300.0
"""Seconds after which a command is taken to hang."""
RELAY = "STIGMEM_FEDERATION_RELAY_ENABLED"
DISK = "3m"
"""The size of the file system for checkpoints."""


@dataclass
class Site:
    """A node with its checkpoints and backups."""

    node: Node
    journal: Journal
    plugin: bool = True
    """Use these commands; else the host's own."""
    gone: bool = False
    own_disk: bool = False
    """Its checkpoints have a file system of their own."""
    alarms: dict[str, Run] = field(default_factory=dict)
    """The last scheduled export to each target."""
    torn: set[str] = field(default_factory=set)
    """Names of files that a fault tore or put there."""
    power: RLock = field(default_factory=RLock)
    """Held by who starts or stops the node."""
    _ended: Event = field(default_factory=Event)
    _written: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The node's name."""
        return self.node.name

    @property
    def relays(self) -> bool:
        """Whether the node offers what it has from others too."""
        return RELAY in self.node.settings

    @property
    def disk(self) -> Path:
        """Where the checkpoints are."""
        return self.node.directory / "disk"

    @property
    def checkpoints(self) -> Path:
        """The directory of checkpoints."""
        return self.disk / "cursors"

    @property
    def file(self) -> Path:
        """The checkpoint that every export replaces."""
        return self.disk / "latest.json"

    @property
    def backups(self) -> list[Path]:
        """The backups of the database, the newest first."""
        return backups.newest_first(self._backups)

    @property
    def _backups(self) -> Path:
        return self.node.directory / "backups"

    def prepare(self, *, own_disk: bool) -> None:
        """Make the database and the directories."""
        self.node.prepare()
        self._backups.mkdir(exist_ok=True)
        self.disk.mkdir(exist_ok=True)
        if own_disk:
            mount(f"size={DISK}", self.disk)
            self.own_disk = True
        self.checkpoints.mkdir(exist_ok=True)

    def clear(self) -> None:
        """Stop everything that runs here."""
        self.end_duties()
        self.node.stop(signal.SIGKILL)
        if self.own_disk:
            # What was there is kept for who looks at it afterwards.
            kept = self.node.directory / "disk-kept"
            shutil.copytree(self.disk, kept, dirs_exist_ok=True)
            subprocess.run(["umount", "--lazy", self.disk], check=False)

    def remount(self, how: str) -> None:
        """Make the disk of the checkpoints read-only (``ro``) or not (``rw``)."""
        mount(f"remount,{how}", self.disk)

    # The node

    def start(self) -> None:
        """Start the node, if it does not run, and wait until it answers."""
        with self.power:
            if not self.gone and not self.node.is_running:
                self.node.start()

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Stop the node, if it runs."""
        with self.power:
            self.node.stop(sign)

    # Commands

    def run(self, *command: str, kill_after: float | None = None) -> Run:
        """Run ``stigmem federation`` with *command* to its end, or kill it after some seconds."""
        began = self.journal.now
        with subprocess.Popen(
            ["stigmem", "federation", *command],
            cwd=self.node.directory,
            env=self.node.environment | {"STIGMEM_CLI_PLUGINS": "" if self.plugin else "off"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            hangs = False
            try:
                _, said = process.communicate(timeout=kill_after or LONGEST_RUN)
            except subprocess.TimeoutExpired:
                process.kill()
                hangs = kill_after is None
                _, said = process.communicate()
        seconds = self.journal.now - began
        killed = kill_after is not None and process.returncode == -signal.SIGKILL
        run = Run(began, self.name, command, process.returncode, seconds, said, killed)
        if hangs:
            self.journal.problem(self.name, f"{' '.join(command)} hung")
        self._note(run)
        return run

    def _note(self, run: Run) -> None:
        """Keep a run, and write it down for who looks at the soak afterwards."""
        with (self.node.directory / "commands.log").open("a", encoding="utf-8") as log:
            print(f"{run.at:.1f} s: {shlex.join(run.command)}: {run.status}\n{run.said}", file=log)
        if self.plugin:
            self.journal.judge(run)
        else:
            self.journal.runs.append(run)

    def export(self, target: Path, *, kill_after: float | None = None) -> Run:
        """Run the export that the schedule runs to its end, or kill it after some seconds."""
        keep = ["--keep", str(KEPT_CHECKPOINTS)] if target == self.checkpoints else []
        out = f"{target}/" if target == self.checkpoints else str(target)
        run = self.run("cursor-export", "--out", out, *keep, kill_after=kill_after)
        if not run.killed:
            self.alarms[target.name] = run
        return run

    def check(self) -> list[Run]:
        """Run the check of the database, which the host does not have."""
        return [self.run("cursor-check")] if self.plugin else []

    @property
    def targets(self) -> Sequence[Path]:
        """Where the schedule exports to; the host's own command knows no directory."""
        return (self.checkpoints, self.file) if self.plugin else (self.file,)

    def next_exports(self) -> list[Run]:
        """Wait for the schedule's next export to each target, and return them."""
        asked = self.journal.now
        names = [target.name for target in self.targets]
        deadline = time.monotonic() + ALARM_WITHIN
        while time.monotonic() < deadline and not self.gone:
            runs = [self.alarms[name] for name in names if name in self.alarms]
            if len(runs) == len(names) and all(run.at >= asked for run in runs):
                return runs
            time.sleep(0.2)
        if not self.gone:
            self.journal.problem(self.name, "the schedule has stopped")
        return []

    # What is scheduled

    def begin_duties(self) -> None:
        """Begin to export, to take backups and to write facts."""
        for duty, pause, end in (
            (self._export_all, EXPORT_EVERY, self._ended),
            (self._back_up, BACKUP_EVERY, self._ended),
            (self._write, WRITE_EVERY, self._written),
        ):
            thread = Thread(target=_every, args=(pause, duty, end), daemon=True)
            thread.start()
            self._threads.append(thread)

    def end_writes(self) -> None:
        """Write no more facts."""
        self._written.set()

    def leave(self) -> None:
        """Be gone for good."""
        self.gone = True
        self.stop(signal.SIGKILL)
        self.end_duties()

    def end_duties(self) -> None:
        """End all that is scheduled, and wait for it."""
        self._written.set()
        self._ended.set()
        for thread in self._threads:
            thread.join(LONGEST_RUN)
        self._threads.clear()

    def _export_all(self) -> None:
        for target in self.targets:
            self.export(target)

    def _write(self) -> None:
        # A node that does not answer, or answers with an error, takes no fact.
        with suppress(httpx.HTTPError, RuntimeError):
            self.node.post_facts([f"{self.name}-{time.time_ns()}"])

    def _back_up(self) -> None:
        backups.take(self.node.database, self._backups)


def _every(pause: float, duty: Callable[[], None], end: Event) -> None:
    while not end.wait(pause):
        duty()
