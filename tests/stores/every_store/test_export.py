"""Export on whatever database a node has: the same checkpoint and the same messages."""

from pathlib import Path

from tests.builders import EXPORTED, steady
from tests.nodes import StoredNode
from tests.running import Stigmem


def test_export(stored: StoredNode, stigmem: Stigmem) -> None:
    """The checkpoint is the same but for the name of the database."""
    finished = stigmem("export")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert steady(finished.stdout).replace(stored.name, "stigmem.db") == EXPORTED


def test_nothing_to_export(empty_node: StoredNode, stigmem: Stigmem) -> None:
    """A node that has lost every position is not exported; one that never had any is."""
    empty_node.database.add_peer("node-b")
    assert stigmem("export").returncode == 0
    empty_node.database.add_facts("node-b", 1)
    finished = stigmem("export")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        f"error: {empty_node.name} has lost every position, or its first pull is under way\n"
        "error: if this stays, stop the node and run `stigmem-cursor import FILE`, or "
        "without a checkpoint `stigmem-cursor catchup`; --force writes an empty checkpoint\n"
    )


def test_last_good_copy(stored: StoredNode, stigmem: Stigmem) -> None:
    """An export after a position was lost keeps the checkpoint that has it."""
    assert stigmem("export", "--out", "c.json").returncode == 0
    before = Path("c.json").read_bytes()
    stored.database.run("DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'")
    finished = stigmem("export", "--out", "c.json")
    assert finished.returncode == 1
    assert "stigmem://node-b" in finished.stderr
    assert Path("c.json").read_bytes() == before
