"""Import on whatever database a node has: the same outcomes, the same messages."""

import json
from pathlib import Path

import pytest

from tests.builders import DONE, checkpoint, entry, received
from tests.nodes import StoredNode
from tests.running import Stigmem


def test_dropped_table(stored: StoredNode, stigmem: Stigmem) -> None:
    """A dropped table is created again, with what it demands of its rows."""
    positions = stored.database.cursors()
    stigmem("export", "--out", "c.json")
    stored.database.run("DROP TABLE replication_cursors")
    finished = stigmem("import", "c.json")
    assert (finished.returncode, finished.stdout) == (0, "")
    assert finished.stderr == (
        "info: the table replication_cursors is missing: creating it again\n"
        + DONE.format(2, 0, 0)
        + "\n"
    )
    assert stored.database.cursors() == positions
    for row in (
        "'id-of-node-b', 'sideways', '1.0', '2026'",
        "'id-of-node-b', 'inbound', '1.0', '2026'",
        "NULL, 'outbound', '1.0', '2026'",
        "'id-of-node-b', 'outbound', '1.0', NULL",
    ):
        with pytest.raises(Exception, match=r"(?i)constraint"):
            stored.database.run(f"INSERT INTO replication_cursors VALUES ({row})")


def test_import_twice(stored: StoredNode, stigmem: Stigmem) -> None:
    """Empty positions are restored; the second time they are set already."""
    stored.database.run("UPDATE replication_cursors SET cursor = NULL")
    given = checkpoint(entry("node-b"), entry("node-d"))
    missing = (
        "warning: peer stigmem://node-d (inbound): not found in the peers table, skipped; "
        "have it register with this node (stigmem federation register-peer, run there), approve "
        "it, then run this import again\n"
    )
    first = stigmem("import", "-", given=given)
    assert (first.returncode, first.stderr) == (0, missing + DONE.format(1, 1, 0) + "\n")
    second = stigmem("import", "-", given=given)
    assert second.returncode == 0
    assert second.stderr == (
        "info: peer stigmem://node-b (inbound): already set, skipped; --force overwrites it\n"
        + missing
        + DONE.format(0, 1, 1)
        + "\n"
    )
    assert stored.database.cursors()["id-of-node-b", "inbound"] == "1725349500000.005"


def test_facts_missing(empty_node: StoredNode, stigmem: Stigmem) -> None:
    """A position whose facts the database lacks is withheld, and only that."""
    for name in ("node-b", "node-c", "node-d"):
        empty_node.database.add_peer(name)
        empty_node.database.add_facts(name, 2)
    given = checkpoint(
        entry("node-b", **received(3, "node-b-1")),
        entry("node-c", **received(2, "node-c-1")),
        entry("node-d", **received(2, "another-fact")),
    )
    finished = stigmem("import", "-", given=given)
    assert finished.returncode == 3
    assert finished.stderr.endswith(
        "cursor import complete: 1 restored, 0 skipped (peer not found), 0 skipped (already set), "
        "2 withheld (facts missing)\n"
    )
    assert empty_node.database.cursors() == {("id-of-node-c", "inbound"): "1725349500000.005"}


def test_force_and_undo(stored: StoredNode, stigmem: Stigmem) -> None:
    """What --force overwrites is put back from the undo checkpoint."""
    positions = stored.database.cursors()
    given = checkpoint(entry("node-b", "1725349499000.1"))
    Path("c.json").write_text(given)
    assert stigmem("import", "c.json", "--force").returncode == 0
    assert stored.database.cursors()["id-of-node-b", "inbound"] == "1725349499000.1"
    undo = next(path.name for path in Path().glob("c.undo-*.json"))
    assert stigmem("import", undo, "--force", "--no-undo").returncode == 0
    assert stored.database.cursors() == positions


def test_dry_run(stored: StoredNode, stigmem: Stigmem) -> None:
    """A dry run says the same and changes nothing, not even a missing table."""
    stigmem("export", "--out", "c.json")
    stored.database.run("DROP TABLE replication_cursors")
    finished = stigmem("import", "--dry-run", "c.json")
    assert finished.returncode == 0
    assert finished.stderr == (
        "info: the table replication_cursors is missing: it would be created again\n"
        "dry run, nothing was changed: 2 would be restored, 0 skipped (peer not found), "
        "0 skipped (already set)\n"
    )
    with pytest.raises(Exception, match="replication_cursors"):
        stored.database.cursors()


def test_many(empty_node: StoredNode, stigmem: Stigmem) -> None:
    """More positions than one statement takes come back as they were."""
    names = [f"node-{number:04}" for number in range(1200)]
    empty_node.database.add_peers(names)
    given = checkpoint(*(entry(name, f"{n}.0") for n, name in enumerate(names)))
    assert stigmem("import", "-", given=given).returncode == 0
    document = json.loads(stigmem("export").stdout)
    assert [item["cursor"] for item in document["cursors"]] == [f"{n}.0" for n in range(1200)]
