"""A host that lacks a function that this plugin calls or wraps."""

from importlib.metadata import version
from pathlib import Path

import pytest

from tests.changed_hosts import call_the_hook, copy_of_the_host, rename
from tests.database import Database
from tests.running import Run

LEFT_OUT = (
    "warning: this stigmem-node has no stigmem_node.cli._build_parser, so stigmem-cursor-plugin "
    "could not add its commands; use `stigmem-cursor` in place of `stigmem federation`\n"
)


@pytest.fixture
def unknown_host(tmp_path: Path) -> Path:
    """A host in which a function of pulling has another name."""
    copy = copy_of_the_host(tmp_path)
    rename(copy / "federation" / "federation_pull.py", "save_cursor", "store_cursor")
    return copy.parent


@pytest.fixture
def other_parser(tmp_path: Path) -> Path:
    """A host whose function that makes the parser has another name."""
    copy = copy_of_the_host(tmp_path)
    for module in ("__init__.py", "parser.py"):
        rename(copy / "cli" / module, "_build_parser", "_make_parser")
    return copy.parent


def test_unknown_host(run: Run, node: Database, unknown_host: Path) -> None:
    """It is named, and the releases that have it; before that nothing is touched."""
    node.run("DROP TABLE replication_cursors")
    before = node.path.read_bytes()
    finished = run("stigmem-cursor", "catchup", PYTHONPATH=str(unknown_host))
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: catch-up needs stigmem_node.federation_pull.save_cursor, and stigmem-node "
        f"{version('stigmem-node')} does not have it; nothing was fetched; use stigmem-node "
        "0.9.0a1 to 0.9.0a12, or start the node: its own loop fetches the same facts\n"
    )
    assert node.path.read_bytes() == before


def test_no_place_for_the_commands(stigmem: Run, other_parser: Path) -> None:
    """Where the commands could not be added, one line after the host's own says what to use."""
    finished = stigmem("cursor-check", PYTHONPATH=str(other_parser))
    assert finished.returncode == 2
    *_, hosts_own, last = finished.stderr.splitlines(keepends=True)
    assert "invalid choice: 'cursor-check'" in hosts_own
    assert last == LEFT_OUT
    assert stigmem("cursor-import", "--help", PYTHONPATH=str(other_parser)).stderr == LEFT_OUT


@pytest.mark.parametrize(
    "command",
    [
        ("stigmem", "--help"),
        ("stigmem-cursor", "--help"),
        ("python", "-c", "import stigmem_node.cli"),
    ],
    ids=" ".join,
)
def test_nothing_else_is_said(run: Run, other_parser: Path, command: tuple[str, ...]) -> None:
    """On such a host, what has nothing to do with ``stigmem federation`` says nothing."""
    finished = run(*command, PYTHONPATH=str(other_parser))
    assert (finished.returncode, finished.stderr) == (0, "")


def test_switched_off(stigmem: Run, other_parser: Path) -> None:
    """Switched off, the plugin says nothing either."""
    finished = stigmem(
        "cursor-import", "--help", PYTHONPATH=str(other_parser), STIGMEM_CLI_PLUGINS="off"
    )
    assert (finished.returncode, finished.stderr) == (0, "")


def test_a_host_that_adds_them_itself(stigmem: Run, other_parser: Path) -> None:
    """A host that calls the hook needs no ``_build_parser``, and nothing is said."""
    call_the_hook(other_parser / "stigmem_node")
    finished = stigmem("cursor-check", "--help", PYTHONPATH=str(other_parser))
    assert (finished.returncode, finished.stderr) == (0, "")
