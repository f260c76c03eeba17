"""SIGKILL and failing system calls at every step: whole or not at all, and nothing left behind.

Where each system call is interrupted by strace, in the real program.
"""

import json
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from tests.builders import checkpoint, entry
from tests.database import Database
from tests.running import BIN, NEEDS_STRACE, ROOT, environment_for, take_interrupts

CALLS = "%file,%desc"
OURS = re.compile(r'"(\.|c\.json|\.stigmem-cursor\.[^"]*|stigmem\.db[^"]*)"')
MOST_POINTS = 300


pytestmark = NEEDS_STRACE


@dataclass(frozen=True)
class Point:
    """The n-th call of one system call in a run."""

    call: str
    number: int
    line: str


@dataclass(frozen=True)
class Victim:
    """A command in a directory that is made anew for every run."""

    directory: Path
    prepare: Callable[[], None]
    arguments: Sequence[str]

    def run(self, *inject: str) -> "subprocess.CompletedProcess[str]":
        """Run the command under strace."""
        self.prepare()
        log = self.directory.with_suffix(".strace")
        return subprocess.run(
            [
                *("strace", "-f", "-y", "-o", str(log), "-e", f"trace={CALLS}", *inject),
                *(str(BIN / "stigmem-cursor"), *self.arguments),
            ],
            cwd=self.directory,
            env=environment_for(BIN, PYTHONDONTWRITEBYTECODE="1"),
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            preexec_fn=take_interrupts,
        )

    def points(self) -> list[Point]:
        """Return every system call that touches the directory, after one run unharmed."""
        assert self.run().returncode == 0
        seen: Counter[str] = Counter()
        found = []
        for line in self.directory.with_suffix(".strace").read_text().splitlines():
            call = re.match(r"\d+ +(\w+)\(", line)
            if call is None or call[1] == "execve":
                continue
            seen[call[1]] += 1
            # strace names the working directory with every path that is looked up from it.
            rest = re.sub(r"AT_FDCWD<[^>]*>", "", line)
            if str(self.directory) in rest or OURS.search(rest):
                found.append(Point(call[1], seen[call[1]], line))
        return found

    def kill_at_every_point(self) -> Iterator[Point]:
        """Kill the command at each system call that touches the directory, and yield it."""
        points = self.points()
        assert 20 <= len(points) <= MOST_POINTS
        print(f"{len(points)} system calls")
        for point in points:
            finished = self.run("-e", f"inject={point.call}:signal=KILL:when={point.number}")
            assert finished.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), point
            yield point


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """Compile the code first: a run that finds a module compiled since makes other system calls."""
    package = str(ROOT / "stigmem_cursor_plugin")
    subprocess.run([str(BIN / "python"), "-m", "compileall", "-q", package], check=True)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The directory that a command works in."""
    return tmp_path / "work"


def fresh(directory: Path, source: Path, file: str) -> None:
    """Make the directory with a database and a checkpoint file."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    shutil.copy(source, directory / "stigmem.db")
    (directory / "c.json").write_text(file)


@pytest.fixture
def exporting(node: Database, directory: Path) -> Victim:
    """An export over an older checkpoint."""
    old = checkpoint(entry("node-b", "1725349400000.0"))
    return Victim(
        directory, lambda: fresh(directory, node.path, old), ["export", "--out", "c.json"]
    )


@pytest.fixture
def importing(node: Database, directory: Path) -> Victim:
    """An import into a database without the cursor table."""
    node.run("DROP TABLE replication_cursors")
    good = checkpoint(entry("node-b"), entry("node-c"))
    return Victim(directory, lambda: fresh(directory, node.path, good), ["import", "c.json"])


def whole(directory: Path, old: str) -> bool:
    """Tell whether the file is the old one or a whole new one."""
    text = (directory / "c.json").read_text()
    return text == old or len(json.loads(text)["cursors"]) == 2


@pytest.mark.slow
def test_export_killed_anywhere(exporting: Victim) -> None:
    """Killed at any system call, export leaves the old checkpoint or the new one, whole."""
    old = checkpoint(entry("node-b", "1725349400000.0"))
    exporting.prepare()
    database = (exporting.directory / "stigmem.db").read_bytes()
    outcomes = set()
    for point in exporting.kill_at_every_point():
        assert whole(exporting.directory, old), point
        assert (exporting.directory / "stigmem.db").read_bytes() == database, point
        outcomes.add((exporting.directory / "c.json").read_text() == old)
    assert outcomes == {True, False}


@pytest.mark.slow
def test_import_killed_anywhere(importing: Victim) -> None:
    """Killed at any system call, import has changed the database completely or not at all."""
    outcomes = set()
    for point in importing.kill_at_every_point():
        database = Database(importing.directory / "stigmem.db")
        assert database.run("PRAGMA integrity_check") == [("ok",)], point
        there = database.run("SELECT 1 FROM sqlite_master WHERE name = 'replication_cursors'")
        rows = len(database.cursors()) if there else 0
        assert (bool(there), rows) in ((False, 0), (True, 2)), point
        outcomes.add(rows)
    assert outcomes == {0, 2}


ERRORS = ("ENOSPC", "EIO", "EROFS", "EACCES", "EDQUOT")
STEPS = {
    "open": r'openat\(.*"[^"]*\.stigmem-cursor\.\w+\.tmp"',
    "write": r"write\(\d+<.*\.tmp>",
    "fsync": r"fsync\(\d+<.*\.tmp>",
    "rename": r"rename\w*\(.*\.tmp",
    "directory": r"fsync\(\d+<[^>]*/work>",
}


@pytest.mark.parametrize("step", STEPS)
def test_export_fails_at(exporting: Victim, step: str) -> None:
    """When the disk fails at any step: exit 1, one line, the old file, no temporary file."""
    points = [found for found in exporting.points() if re.search(STEPS[step], found.line)]
    assert points
    for point, error in product(points, ERRORS):
        _fails_at(exporting, point, step, error)


def _fails_at(exporting: Victim, point: Point, step: str, error: str) -> None:
    finished = exporting.run("-e", f"inject={point.call}:error={error}:when={point.number}")
    old = checkpoint(entry("node-b", "1725349400000.0"))
    assert finished.returncode == 1
    complaint = "cannot write c.json"
    if step == "directory":
        complaint = "c.json was written, but may not outlast a power failure"
    assert re.fullmatch(rf"error: {complaint}: [A-Z][\w ,/-]+\n", finished.stderr)
    assert sorted(path.name for path in exporting.directory.iterdir()) == ["c.json", "stigmem.db"]
    if step == "directory":
        assert len(json.loads((exporting.directory / "c.json").read_text())["cursors"]) == 2
    else:
        assert (exporting.directory / "c.json").read_text() == old


def test_directory_without_links(node: Database, directory: Path) -> None:
    """Where the file system has no hard links, two exports in one second still do not collide."""
    arguments = ["export", "--out", "."]
    victim = Victim(directory, lambda: None, arguments)
    fresh(directory, node.path, "{}")
    for _ in range(3):
        finished = victim.run("-e", "inject=link,linkat:error=EPERM")
        assert finished.returncode == 0, finished.stderr
    written = [path.name for path in directory.iterdir() if path.name.startswith("cursors-")]
    assert len(written) == 3
    assert not list(directory.glob(".*"))


@pytest.mark.long
@pytest.mark.parametrize("error", ["ENOSPC", pytest.param("EIO", marks=pytest.mark.slow)])
@pytest.mark.parametrize("call", [pytest.param("pwrite64", marks=pytest.mark.slow), "fdatasync"])
def test_import_fails_at(importing: Victim, call: str, error: str) -> None:
    """When the disk fails while the database is written: exit 1, one line, nothing changed."""
    points = [found for found in importing.points() if found.call == call]
    assert points
    for point in points:
        finished = importing.run("-e", f"inject={call}:error={error}:when={point.number}")
        database = Database(importing.directory / "stigmem.db")
        assert database.run("PRAGMA integrity_check") == [("ok",)], point
        there = database.run("SELECT 1 FROM sqlite_master WHERE name = 'replication_cursors'")
        if finished.returncode == 0:
            # After the commit the log is copied into the database; it can be copied later too.
            assert len(database.cursors()) == 2, point
        else:
            assert finished.returncode == 1, point
            assert re.fullmatch(r"error: stigmem\.db: [\w /]+\n", finished.stderr), point
            assert not there, point


@pytest.mark.parametrize(
    ("sign", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_interrupted_while_writing(exporting: Victim, sign: signal.Signals, status: int) -> None:
    """A signal in the middle of writing leaves the old file and no temporary one."""
    (point,) = (found for found in exporting.points() if re.search(STEPS["fsync"], found.line))
    name = sign.name.removeprefix("SIG")
    finished = exporting.run("-e", f"inject={point.call}:signal={name}:when={point.number}")
    assert finished.returncode == status
    assert finished.stderr == ""
    assert sorted(path.name for path in exporting.directory.iterdir()) == ["c.json", "stigmem.db"]
    assert (exporting.directory / "c.json").read_text() == checkpoint(
        entry("node-b", "1725349400000.0")
    )
