"""A node that runs on the database is refused, before anything is written and before it counts."""

import json
from pathlib import Path

import pytest

from tests.builders import DONE, DOUBT, RUNNING, checkpoint
from tests.database import NODE_ID, Database
from tests.listeners import NODE, http, in_turn, listening, saying
from tests.running import Run

IMPORT = ("cursor-import", "c.json")


@pytest.mark.parametrize("before", [[], [{"node_id": "another"}]], ids=["at once", "meanwhile"])
def test_running_node_is_refused(
    ready: Database, stigmem: Run, before: list[dict[str, str]]
) -> None:
    """A node that answers with this database's id is refused, also if it starts meanwhile."""
    with listening(in_turn([*before, NODE])) as port:
        finished = stigmem(*IMPORT, STIGMEM_PORT=str(port))
    assert finished.returncode == 1
    assert finished.stderr == RUNNING.format(NODE_ID, f"127.0.0.1:{port}")
    assert ready.cursors() == {}


def test_port_in_dotenv(ready: Database, stigmem: Run, tmp_path: Path) -> None:
    """A node is found on the host and port that only ``.env`` names, with --db too."""
    with listening(saying(http(NODE)), "127.0.0.2") as port:
        (tmp_path / ".env").write_text(
            f"STIGMEM_HOST=127.0.0.2\nSTIGMEM_NODE_URL=http://127.0.0.2:{port}\n"
        )
        finished = stigmem(*IMPORT, "--db", "stigmem.db")
    assert finished.returncode == 1
    assert finished.stderr == RUNNING.format(NODE_ID, f"127.0.0.2:{port}")
    assert ready.cursors() == {}


@pytest.mark.parametrize("body", [{"node_id": "another"}, b"hello"], ids=["node", "service"])
def test_anything_else_is_not_this_node(ready: Database, stigmem: Run, body: object) -> None:
    """Another node, or another service altogether, does not keep an import from its work."""
    with listening(saying(http(body))) as port:
        finished = stigmem(*IMPORT, STIGMEM_PORT=str(port))
    assert finished.returncode == 0
    assert finished.stderr == DONE.format(1, 0, 0) + "\n"


def test_node_in_doubt(ready: Database, stigmem: Run) -> None:
    """What may be the node is refused, until the operator says that the node is stopped."""
    with listening(saying(http(b"", 500))) as port:
        refused = stigmem(*IMPORT, STIGMEM_PORT=str(port))
        assert refused.returncode == 1
        assert refused.stderr == DOUBT.format(f"127.0.0.1:{port} answered with HTTP status 500")
        assert ready.cursors() == {}
        finished = stigmem(*IMPORT, "--assume-stopped", STIGMEM_PORT=str(port))
    assert finished.returncode == 0
    assert finished.stderr == DONE.format(1, 0, 0) + "\n"


def test_dry_run_looks_while_the_node_runs(ready: Database, stigmem: Run) -> None:
    """A dry run says what an import would do, and that the node must be stopped for it."""
    with listening(saying(http(NODE))) as port:
        finished = stigmem(*IMPORT, "--dry-run", STIGMEM_PORT=str(port))
    assert finished.returncode == 0
    assert finished.stderr == (
        f"info: node {NODE_ID} is running at 127.0.0.1:{port}; stop the node before the import\n"
        "dry run, nothing was changed: 1 would be restored, 0 skipped (peer not found), "
        "0 skipped (already set)\n"
    )
    assert ready.cursors() == {}


@pytest.mark.parametrize("runs", [True, False])
def test_dry_run_as_a_document(ready: Database, stigmem: Run, runs: bool) -> None:
    """The document of a dry run says that the node runs, and that it does not."""
    node_id = NODE_ID if runs else "another"
    with listening(saying(http({"node_id": node_id}))) as port:
        finished = stigmem(*IMPORT, "--dry-run", "--json", STIGMEM_PORT=str(port))
    assert finished.returncode == 0
    running = json.loads(finished.stdout)["running_node"]
    assert running == (f"node {NODE_ID} is running at 127.0.0.1:{port}" if runs else None)
    assert ready.cursors() == {}


def test_dry_run_in_doubt(ready: Database, stigmem: Run) -> None:
    """A dry run says too where it cannot tell."""
    with listening(saying(http(b"", 500))) as port:
        finished = stigmem(*IMPORT, "--dry-run", STIGMEM_PORT=str(port))
    assert finished.returncode == 0
    assert finished.stderr.startswith(
        f"info: cannot tell whether the node is running: 127.0.0.1:{port} answered with HTTP "
        "status 500; stop the node before the import\n"
    )


def test_nothing_to_write(ready: Database, stigmem: Run) -> None:
    """An import that writes nothing is answered while the node runs."""
    ready.set_cursor("id-of-node-b", "1725349500000.009")
    with listening(saying(http(NODE))) as port:
        finished = stigmem(*IMPORT, STIGMEM_PORT=str(port))
        assert finished.returncode == 0
        assert finished.stderr.endswith(DONE.format(0, 0, 1) + "\n")
        forced = stigmem(*IMPORT, "--force", STIGMEM_PORT=str(port))
    assert forced.returncode == 1
    assert forced.stderr == RUNNING.format(NODE_ID, f"127.0.0.1:{port}")
    assert ready.cursors() == {("id-of-node-b", "inbound"): "1725349500000.009"}


def test_missing_table_is_something_to_write(ready: Database, stigmem: Run, tmp_path: Path) -> None:
    """Nor is the cursor table created while the node runs."""
    ready.run("DROP TABLE replication_cursors")
    (tmp_path / "c.json").write_text(checkpoint())
    with listening(saying(http(NODE))) as port:
        finished = stigmem(*IMPORT, STIGMEM_PORT=str(port))
    assert finished.returncode == 1
    assert finished.stderr == RUNNING.format(NODE_ID, f"127.0.0.1:{port}")


@pytest.mark.parametrize("command", ["cursor-export", "cursor-check"])
def test_reading_asks_nobody(node: Database, stigmem: Run, command: str) -> None:
    """Commands that only read do not ask whether the node runs."""

    def behave(_connection: object) -> None:
        asked.append(True)

    asked: list[bool] = []
    with listening(behave) as port:
        assert stigmem(command, STIGMEM_PORT=str(port)).returncode == 0
    assert asked == []
