"""What holds for the tests themselves, and what a run of them says."""

import ast
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import BIN, ROOT, environment_for
from tools.loopback import Node, running

TESTS = ROOT / "tests"


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: path.stem)
def test_no_test_module_serves_another(path: Path) -> None:
    """What two test modules need is in a module that is not one of tests."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [name for name in imported if re.match(r"tests\.(.*\.)?(test_|conftest)", name)] == []


def test_missing_strace_is_said_loudly(tmp_path: Path) -> None:
    """Without strace a run names, after everything else, the promise that it did not test."""
    (tmp_path / "python").symlink_to(sys.executable)
    finished = subprocess.run(
        [
            *(BIN / "python", "-m", "pytest", "-p", "no:xdist", "-k", "test_export_fails_at"),
            TESTS / "acceptance" / "test_crash.py",
        ],
        cwd=ROOT,
        env={**environment_for(BIN), "PATH": str(tmp_path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout
    assert "SKIPPED [5] tests/acceptance/test_crash.py" in finished.stdout
    assert "!! NOT TESTED: kills and failing system calls !!" in finished.stdout
    assert "5 test(s) did not run, because strace cannot be used here." in finished.stdout


class _NoNode(Node):
    """A node without a process."""

    stopped = False

    def prepare(self) -> None:
        """Fail without a name."""
        if not self.name:
            raise RuntimeError("no name")

    def start(self, *, publish: bool = True) -> None:
        """Start nothing."""

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Note it."""
        del sign
        self.stopped = True


def test_no_node_is_left_running() -> None:
    """Where one of several nodes does not start, the others are stopped, and the error is its."""
    nodes = [_NoNode(name, Path(), 1) for name in ("a", "", "c")]
    with pytest.raises(RuntimeError, match="no name"), running(*nodes):
        pytest.fail("one of them does not start")
    assert [node.stopped for node in nodes] == [True, True, True]
