"""Positions that ``cursor-import`` restores, and those that it skips."""

from pathlib import Path
from typing import Any

import pytest

from tests.builders import DONE, checkpoint, entry, lines, received
from tests.database import Database
from tests.running import Run


def test_expected_output_of_step_4(database: Database, stigmem: Run, tmp_path: Path) -> None:
    """Three restored positions print the runbook's line, to the letter, and nothing else."""
    for name in ("node-b", "node-c", "node-d"):
        database.add_peer(name)
        database.add_facts(name, 1)
    (tmp_path / "latest.json").write_text(
        checkpoint(entry("node-b"), entry("node-c"), entry("node-d"))
    )
    finished = stigmem("cursor-import", "latest.json")
    assert (finished.returncode, finished.stdout) == (0, "")
    assert finished.stderr == (
        "cursor import complete: 3 restored, 0 skipped (peer not found), 0 skipped (already set)\n"
    )
    assert set(database.cursors().values()) == {"1725349500000.005"}


def test_import_is_idempotent(database: Database, stigmem: Run) -> None:
    """Run again, the same import skips what it has restored."""
    database.add_peer("node-b")
    database.add_facts("node-b", 1)
    given = checkpoint(entry("node-b"))
    assert stigmem("cursor-import", "-", given=given).stderr == DONE.format(1, 0, 0) + "\n"
    again = stigmem("cursor-import", "-", given=given)
    assert again.returncode == 0
    assert again.stderr == lines(
        "info: peer stigmem://node-b (inbound): already set, skipped; --force overwrites it",
        DONE.format(0, 0, 1),
    )


def test_own_checkpoint_after_a_dropped_table(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """A dropped table is created as the migrations left it, and every position is back."""
    shape = _shape(node)
    positions = node.cursors()
    stigmem("cursor-export", "--out", "c.json")
    node.run("DROP TABLE replication_cursors")
    finished = stigmem("cursor-import", "c.json")
    assert finished.returncode == 0
    assert finished.stderr == lines(
        "info: the table replication_cursors is missing: creating it again",
        DONE.format(2, 0, 0),
    )
    assert node.cursors() == positions
    assert _shape(node) == shape
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.json", "stigmem.db"]


def _shape(database: Database) -> list[Any]:
    table = "replication_cursors"
    check = database.run("SELECT sql FROM sqlite_master WHERE name = ?", [table])[0][0]
    return [
        database.run(f"PRAGMA table_info({table})"),
        database.run(f"PRAGMA foreign_key_list({table})"),
        database.run(f"PRAGMA index_list({table})"),
        "CHECK(direction IN ('inbound','outbound'))" in check,
    ]


def test_peer_not_found(database: Database, stigmem: Run) -> None:
    """A peer that is not registered is skipped with a warning that says what to do."""
    finished = stigmem("cursor-import", "-", given=checkpoint(entry("node-b")))
    assert finished.returncode == 0
    assert finished.stderr == lines(
        "warning: peer stigmem://node-b (inbound): not found in the peers table, skipped; "
        "have it register with this node (stigmem federation register-peer, run there), approve "
        "it, then run this import again",
        DONE.format(0, 1, 0),
    )
    assert database.cursors() == {}


def test_registered_again(database: Database, stigmem: Run) -> None:
    """A peer that has a new id since gets its position under the new one.

    Where the checkpoint names no node, and no peer has its id, it must be of the same database.
    """
    database.add_peer("node-b", peer_id="new-id")
    database.add_facts("node-b", 1)
    given = checkpoint(entry("node-b"), db_path="/var/lib/stigmem/other.db")
    finished = stigmem("cursor-import", "-", given=given)
    assert finished.returncode == 3
    assert finished.stderr.splitlines()[0] == (
        "warning: peer stigmem://node-b (inbound): withheld, the checkpoint counts no facts, and "
        "seems to be another node's"
    )
    finished = stigmem("cursor-import", "-", given=checkpoint(entry("node-b")))
    assert finished.returncode == 0
    assert finished.stderr == lines(
        "info: peer stigmem://node-b (inbound): registered again, restored under its new id new-id",
        DONE.format(1, 0, 0),
    )
    assert database.cursors() == {("new-id", "inbound"): "1725349500000.005"}


@pytest.mark.parametrize("flags", [(), ("--force",)], ids=["plain", "force"])
def test_null_never_overwrites(node: Database, stigmem: Run, flags: tuple[str, ...]) -> None:
    """An entry without a position is skipped, with --force too."""
    before = node.cursors()
    finished = stigmem("cursor-import", "-", *flags, given=checkpoint(entry("node-b", None)))
    assert finished.returncode == 0
    assert finished.stderr == lines(
        "info: peer stigmem://node-b (inbound): no position in the checkpoint, skipped",
        DONE.format(0, 0, 0) + ", 1 skipped (no position)",
    )
    assert node.cursors() == before


def test_directory_takes_the_newest_that_fits(
    database: Database, stigmem: Run, tmp_path: Path
) -> None:
    """Of a directory's checkpoints the newest counts that the database can back up."""
    database.add_peer("node-b")
    database.add_facts("node-b", 20)
    directory = tmp_path / "backup"
    directory.mkdir()
    for hour, facts in ((10, 10), (11, 20), (12, 30)):
        text = checkpoint(
            entry("node-b", f"{hour}.0", **received(facts, f"node-b-{facts - 1}")),
            checkpoint_timestamp=f"2026-05-02T{hour}:00:00Z",
        )
        (directory / f"cursors-{hour}.json").write_text(text)
    (directory / "cursors-13.json").write_text("{")
    finished = stigmem("cursor-import", "backup")
    assert finished.returncode == 0
    assert finished.stderr == lines(
        "warning: passed over: backup/cursors-13.json: not JSON: Expecting property name "
        "enclosed in double quotes (line 1 column 2)",
        "info: peer stigmem://node-b (inbound): from backup/cursors-11.json",
        DONE.format(1, 0, 0),
    )
    assert database.cursors() == {("id-of-node-b", "inbound"): "11.0"}


def test_what_import_has_proven_stays_true(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """After a backup was restored, a second import and a check find the first one's positions true.

    Import writes when a proven position moved: the page of that time is there.
    """
    (tmp_path / "kept").mkdir()
    assert stigmem("cursor-export", "--out", "kept").returncode == 0
    backup = node.path.read_bytes()
    node.add_facts("node-b", 2, first=3, at="2026-05-03T18:24:58+00:00")
    node.set_cursor("id-of-node-b", "1725349600000.0", at="2026-05-03")
    assert stigmem("cursor-export", "--out", "kept").returncode == 0
    node.path.write_bytes(backup)
    node.run("DELETE FROM replication_cursors")
    for _ in range(2):
        assert stigmem("cursor-import", "kept").returncode == 0
        assert node.cursors()["id-of-node-b", "inbound"] == "1725349500000.005"
        assert stigmem("cursor-check", "kept", "--db", "stigmem.db").returncode == 0
    finished = stigmem("cursor-export", "--out", "kept")
    assert finished.stderr.splitlines()[1] == (
        "error: peer stigmem://node-b (inbound) is back at 2024-09-03T07:45:00Z; it was "
        "2024-09-03T07:46:40Z"
    )
