"""Run by cron as root, interrupted, piped, and more than once at a time."""

import json
import os
import select
import signal
import stat
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.builders import checkpoint, entry
from tests.database import Database
from tests.running import BIN, Run, environment_for, take_interrupts


def start(directory: Path, *arguments: str, umask: int = -1) -> "subprocess.Popen[str]":
    """Start ``stigmem federation`` and leave it running."""
    return subprocess.Popen(
        [BIN / "stigmem", "federation", *arguments],
        cwd=directory,
        env=environment_for(BIN),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        umask=umask,
        preexec_fn=take_interrupts,  # noqa: PLW1509  no threads here
    )


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277], ids=oct)
def test_mode_whatever_the_umask(node: Database, tmp_path: Path, umask: int) -> None:
    """The checkpoint is for its owner alone, whatever the umask and the old file's mode."""
    (tmp_path / "c.json").touch(0o666)
    with start(tmp_path, "cursor-export", "--out", "c.json", umask=umask) as process:
        assert process.wait(60) == 0
    assert stat.S_IMODE((tmp_path / "c.json").stat().st_mode) == 0o600


def test_planted_link_is_not_followed(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """A symbolic link planted at FILE: what it leads to is not touched, and not lost."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "c.json").symlink_to("precious")
    finished = stigmem("cursor-export", "--out", "c.json")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: c.json (a link to precious) holds other text, not a checkpoint; nothing was "
        "written; name another file\n"
    )
    assert precious.read_text() == "precious"
    assert (tmp_path / "c.json").is_symlink()


def test_fifo(node: Database, tmp_path: Path) -> None:
    """A FIFO as FILE is written to, as by any program, and stays one."""
    os.mkfifo(tmp_path / "pipe")
    with start(tmp_path, "cursor-export", "--out", "pipe") as process:
        try:
            end = other_end(tmp_path / "pipe", "export")
            os.set_blocking(end, True)
            with os.fdopen(end) as reader:
                assert len(json.loads(reader.read())["cursors"]) == 2
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert (tmp_path / "pipe").is_fifo()


def test_standard_output_that_is_a_file(node: Database, run: Run, tmp_path: Path) -> None:
    """``--out /dev/stdout > file`` writes to the file, and ``/dev/null`` stays a device."""
    command = "stigmem federation cursor-export --out /dev/stdout > c.json && "
    command += "stigmem federation cursor-export --out /dev/null"
    assert run("/bin/sh", "-c", command).returncode == 0
    assert len(json.loads((tmp_path / "c.json").read_text())["cursors"]) == 2
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def add_many_cursors(database: Database) -> None:
    """Add so many cursors that their checkpoint does not fit into a pipe."""
    database.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
        " INSERT INTO peers (id, node_id, node_url, federation_pubkey, allowed_scopes, status,"
        " declaration_sig, signed_at) SELECT 'p' || i, 'n' || i, '', '', '', 'active', '', ''"
        " FROM n"
    )
    database.run("INSERT INTO replication_cursors SELECT id, 'outbound', '1.0', '2026' FROM peers")


def test_closed_standard_output(node: Database, tmp_path: Path) -> None:
    """A reader that goes away, such as ``| head -1``, ends the command without a traceback."""
    add_many_cursors(node)
    with start(tmp_path, "cursor-export") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "{\n"
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("sign", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
@pytest.mark.parametrize("command", ["export", "import"])
def test_interrupted_while_waiting(
    node: Database, tmp_path: Path, sign: signal.Signals, status: int, command: str
) -> None:
    """Interrupted while it waits for another program: silent, the shell's status, no trace."""
    os.mkfifo(tmp_path / "pipe")
    add_many_cursors(node)
    before = node.contents()
    arguments = {
        "export": ("cursor-export", "--out", "pipe"),
        "import": ("cursor-import", "pipe"),
    }
    with start(tmp_path, *arguments[command]) as process:
        try:
            end = other_end(tmp_path / "pipe", command)
            stderr = interrupt(process, sign)
            os.close(end)
        finally:
            process.kill()
    assert (process.returncode, stderr) == (status, "")
    assert node.contents() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pipe", "stigmem.db"]


def interrupt(process: "subprocess.Popen[str]", sign: signal.Signals) -> str:
    """Send a signal until the process ends, and return what it said.

    One that comes just before a system call is only seen after it: an operator presses again.
    """
    for _ in range(60):
        process.send_signal(sign)
        try:
            return process.communicate(timeout=1)[1]
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("not interrupted by sixty signals")


def other_end(pipe: Path, command: str) -> int:
    """Open the other end of a FIFO once the command has opened it, and do not use it."""
    deadline = time.monotonic() + 60
    flags = (os.O_RDONLY if command == "export" else os.O_WRONLY) | os.O_NONBLOCK
    while True:
        assert time.monotonic() < deadline
        try:
            end = os.open(pipe, flags)
        except OSError:  # for writing, it takes a reader to open it
            time.sleep(0.02)
            continue
        if command == "import" or select.select([end], [], [], 60)[0]:
            return end


def run_together(directory: Path, *commands: Sequence[str]) -> list[tuple[int, str]]:
    """Start the commands at once and return exit status and standard error of each."""
    processes = [start(directory, *command) for command in commands]
    return [
        (process.returncode, stderr)
        for process in processes
        for _, stderr in [process.communicate(timeout=120)]
    ]


def test_two_exports_to_one_file(node: Database, tmp_path: Path) -> None:
    """Two exports to one FILE both succeed, and FILE is one of the two, whole."""
    for _ in range(2):
        command = ("cursor-export", "--out", "c.json")
        outcomes = run_together(tmp_path, *[command] * 3)
        assert outcomes == [(0, "checkpoint written: c.json (2 cursor(s))\n")] * 3
        assert len(json.loads((tmp_path / "c.json").read_text())["cursors"]) == 2
        assert sorted(path.name for path in tmp_path.iterdir()) == ["c.json", "stigmem.db"]


def test_export_during_import(database: Database, tmp_path: Path) -> None:
    """An export beside an import sees the database before it or after it, never between."""
    names = [f"node-{number}" for number in range(200)]
    for name in names:
        database.add_peer(name)
    (tmp_path / "c.json").write_text(checkpoint(*(entry(name, "2.0") for name in names)))
    for _ in range(2):
        database.run("DELETE FROM replication_cursors")
        database.run(
            "INSERT INTO replication_cursors SELECT id, 'inbound', '1.0', '2026' FROM peers"
        )
        outcomes = run_together(
            tmp_path,
            ("cursor-import", "c.json", "--force", "--no-undo"),
            ("cursor-export", "--out", "out.json", "--force"),
        )
        assert [status for status, _ in outcomes] == [0, 0], outcomes
        cursors = json.loads((tmp_path / "out.json").read_text())["cursors"]
        assert {item["cursor"] for item in cursors} in ({"1.0"}, {"2.0"})
        assert len(cursors) == 200
