"""A node on each kind of database, and ``stigmem-cursor`` run on it in this process.

In this process, because the tests are many. The host's settings are read anew each time.
"""

import io
import signal
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from stigmem_cursor_plugin import cli
from tests.nodes import STORES, StoredNode, Stores
from tests.running import Finished, Stigmem


@pytest.fixture(params=STORES)
def empty_node(request: pytest.FixtureRequest, stores: Stores, tmp_path: Path) -> StoredNode:
    """A node without peers, on each kind of database."""
    return stores.make(request.param, tmp_path)


@pytest.fixture
def stored(empty_node: StoredNode) -> StoredNode:
    """The same with two peers, positions for both, and facts received from the first."""
    empty_node.database.fill()
    return empty_node


@pytest.fixture
def stigmem(
    empty_node: StoredNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stigmem]:
    """Run ``stigmem-cursor`` with the node's settings, in the test's directory."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"STIGMEM_PORT": "1", "COLUMNS": "80", **empty_node.environment}.items():
        monkeypatch.setenv(name, value)

    def stigmem(*arguments: str, given: str = "") -> Finished:
        monkeypatch.setattr("sys.argv", ["stigmem-cursor", *arguments])
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    terminate = signal.getsignal(signal.SIGTERM)
    yield stigmem
    signal.signal(signal.SIGTERM, terminate)
