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


def _imported(text: str) -> set[str]:
    """Return the names that a module imports, each with the module that it is from."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{name.name}" for name in node.names}
    return names


_OF_A_TEST_MODULE = re.compile(r"tests\.(.*\.)?(test_|conftest)")


@pytest.mark.parametrize(
    "path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS))
)
def test_no_test_module_serves_another(path: Path) -> None:
    """What two test modules need is in a module that is not one of tests."""
    names = _imported(path.read_text(encoding="utf-8"))
    assert [name for name in names if _OF_A_TEST_MODULE.match(name)] == []


@pytest.mark.parametrize(
    "text",
    [
        "import tests.core.test_witness",
        "from tests.core import test_witness",
        "from tests.core.test_witness import COUNTED",
        "from tests import conftest",
    ],
)
def test_every_way_to_import_is_seen(text: str) -> None:
    """A test module can be imported in four ways; each is noticed."""
    assert [name for name in _imported(text) if _OF_A_TEST_MODULE.match(name)]


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
