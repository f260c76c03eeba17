"""What is refused on whatever database a node has, and changes nothing."""

import pytest

from tests.builders import checkpoint, entry
from tests.nodes import StoredNode
from tests.running import Stigmem


def test_all_or_nothing(empty_node: StoredNode, stigmem: Stigmem) -> None:
    """When the database refuses the last of many rows, none of them is there."""
    names = [f"node-{number:04}" for number in range(1200)]
    empty_node.database.add_peers(names)
    entries = [entry(name) for name in names]
    entries[-1]["direction"] = "sideways"
    finished = stigmem("import", "-", given=checkpoint(*entries))
    assert finished.returncode == 1
    assert finished.stderr == (
        f"error: {empty_node.name}: the database refused the cursors (directions: inbound, "
        "sideways); nothing was changed\n"
    )
    assert empty_node.database.cursors() == {}


def test_foreign_checkpoint(stored: StoredNode, stigmem: Stigmem) -> None:
    """Another node's checkpoint is refused."""
    given = checkpoint(entry("node-b"), node_id="stigmem://other", format_version=1)
    finished = stigmem("import", "-", "--force", given=given)
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: standard input is the checkpoint of node stigmem://other, and this database is "
        "that of stigmem://node-a; --accept-loss imports it anyway\n"
    )


@pytest.mark.parametrize("table", ["peers", "facts"])
def test_no_node(empty_node: StoredNode, stigmem: Stigmem, table: str) -> None:
    """A database without peers or facts is not a node's, and is not changed."""
    empty_node.database.run(
        f"DROP TABLE {table}" + (" CASCADE" if empty_node.kind == "postgres" else "")
    )
    for command in (("export",), ("check",), ("import", "-")):
        finished = stigmem(*command, given=checkpoint(entry("node-b")))
        assert finished.returncode == 1
        assert finished.stderr == (
            f"error: {empty_node.name}: no table {table}: this is not the database of a stigmem "
            "node, or its migrations have not been applied; apply them with `stigmem migrate "
            "normalize-entities --dry-run`, have the peers register again, then import\n"
        )
