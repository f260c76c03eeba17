"""A signal ends a command without a traceback, whatever is being loaded."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import checkpoint, entry
from tests.running import BIN, environment_for

PROGRAM = """
import os, signal, sys
from stigmem_cursor_plugin import __main__ as program

class Interrupting:
    left, number = int(sys.argv.pop(1)), int(sys.argv.pop(1))

    def find_spec(self, name, path=None, target=None):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), self.number)

# Whoever runs the tests in the background has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupting())
program.main()
"""


def _run(directory: Path, left: int, number: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(left), str(number), "check", "c.json"],
        cwd=directory,
        env=environment_for(BIN),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_every_import(tmp_path: Path, number: int) -> None:
    """SIGINT or SIGTERM at an import, also one that Rust makes, ends the command without a word."""
    (tmp_path / "c.json").write_text(checkpoint(entry("node-b")))
    statuses = []
    for left in range(1, 1_000, 3):
        finished = _run(tmp_path, left, number)
        if finished.returncode == 0:
            break
        statuses.append(finished.returncode)
        assert (finished.stdout, finished.stderr) == ("", ""), left
    assert set(statuses) == {-number, 128 + number}
    assert len(statuses) > 10
