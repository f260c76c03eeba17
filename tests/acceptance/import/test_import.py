"""``cursor-import`` as a user sees it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import DONE, checkpoint, entry, received
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
    assert again.stderr == (
        "info: peer stigmem://node-b (inbound): already set, skipped; --force overwrites it\n"
        + DONE.format(0, 0, 1)
        + "\n"
    )


def test_own_checkpoint_after_a_dropped_table(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """A dropped table is created as the migrations left it, and every position is back."""
    shape = _shape(node)
    positions = node.cursors()
    stigmem("cursor-export", "--out", "c.json")
    node.run("DROP TABLE replication_cursors")
    finished = stigmem("cursor-import", "c.json")
    assert finished.returncode == 0
    assert finished.stderr == (
        "info: the table replication_cursors is missing: creating it again\n"
        + DONE.format(2, 0, 0)
        + "\n"
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
    assert finished.stderr == (
        "warning: peer stigmem://node-b (inbound): not found in the peers table, skipped; "
        "register it again (stigmem federation register-peer), then run this import again\n"
        + DONE.format(0, 1, 0)
        + "\n"
    )
    assert database.cursors() == {}


def test_registered_again(database: Database, stigmem: Run) -> None:
    """A peer that has a new id since (runbook, Step 3) gets its position under the new one."""
    database.add_peer("node-b", peer_id="new-id")
    database.add_facts("node-b", 1)
    finished = stigmem("cursor-import", "-", given=checkpoint(entry("node-b")))
    assert finished.returncode == 0
    assert finished.stderr == (
        "info: peer stigmem://node-b (inbound): registered again, restored under its new id "
        "new-id\n" + DONE.format(1, 0, 0) + "\n"
    )
    assert database.cursors() == {("new-id", "inbound"): "1725349500000.005"}


@pytest.mark.parametrize("flags", [(), ("--force",)], ids=["plain", "force"])
def test_null_never_overwrites(node: Database, stigmem: Run, flags: tuple[str, ...]) -> None:
    """An entry without a position is skipped, with --force too."""
    before = node.cursors()
    finished = stigmem("cursor-import", "-", *flags, given=checkpoint(entry("node-b", None)))
    assert finished.returncode == 0
    assert finished.stderr == (
        "info: peer stigmem://node-b (inbound): no position in the checkpoint, skipped\n"
        + DONE.format(0, 0, 0)
        + ", 1 skipped (no position)\n"
    )
    assert node.cursors() == before


def test_force_overwrites(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """``--force`` moves a position, says from where to where, and keeps the old one."""
    given = checkpoint(entry("node-b", "1725349400000.0"))
    finished = stigmem("cursor-import", "-", "--force", given=given)
    undo = next(tmp_path.glob("*.undo-*.json")).name
    assert finished.returncode == 0
    assert finished.stderr == (
        "info: peer stigmem://node-b (inbound): moved back, from 2024-09-03T07:45:00Z to "
        "2024-09-03T07:43:20Z\n"
        f"undo checkpoint written: {undo}; importing it with --force puts them back\n"
        + DONE.format(1, 0, 0)
        + "\n"
    )
    assert node.cursors()["id-of-node-b", "inbound"] == "1725349400000.0"
    assert node.cursors()["id-of-node-c", "inbound"] == "1725349500000.10"

    assert stigmem("cursor-import", undo, "--force", "--no-undo").returncode == 0
    assert node.cursors()["id-of-node-b", "inbound"] == "1725349500000.005"


def test_undo_puts_everything_back(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """What was empty before is empty again, and no undo checkpoint replaces another."""
    node.set_cursor("id-of-node-c", None)
    before = node.cursors()
    for cursor in ("1725349600000.0", "1725349700000.0"):
        given = checkpoint(entry("node-b", cursor), entry("node-c", cursor))
        assert stigmem("cursor-import", "-", "--force", given=given).returncode == 0
        assert set(node.cursors().values()) == {cursor}
    first, second = sorted(tmp_path.glob("*.undo-*.json"))
    kept = {item["peer_id"]: item for item in json.loads(first.read_text())["cursors"]}
    assert kept["id-of-node-c"]["cursor"] is None
    assert kept["id-of-node-c"]["updated_at"] == kept["id-of-node-b"]["updated_at"] is not None
    finished = stigmem("cursor-import", str(second), "--force", "--no-undo")
    assert finished.returncode == 0
    assert set(node.cursors().values()) == {"1725349600000.0"}
    finished = stigmem("cursor-import", str(first), "--force", "--no-undo")
    assert finished.returncode == 0
    assert finished.stderr.splitlines()[:2] == [
        "info: peer stigmem://node-b (inbound): moved back, from 2024-09-03T07:46:40Z to "
        "2024-09-03T07:45:00Z",
        "info: peer stigmem://node-c (inbound): moved back, from 2024-09-03T07:46:40Z to none",
    ]
    assert node.cursors() == before


def test_facts_missing(database: Database, stigmem: Run) -> None:
    """A position whose facts are lost is withheld, with what the re-pull means: exit 3."""
    database.add_peer("node-b")
    given = checkpoint(entry("node-b", **received(512, "node-b-511")))
    finished = stigmem("cursor-import", "-", given=given)
    assert finished.returncode == 3
    assert finished.stderr == (
        "warning: peer stigmem://node-b (inbound): withheld, 512 of 512 facts are missing from "
        "the database\n"
        "info: next, run `stigmem federation cursor-catchup` (about 1 s, then start the node)\n"
        "info: or start the node with STIGMEM_FEDERATION_HLC_MAX_PAST_SKEW_S=0 (about 3 min, a "
        "page each 30 s)\n"
        "info: or give up what is missing: import again with --accept-loss\n"
        + DONE.format(0, 0, 0)
        + ", 1 withheld (facts missing)\n"
    )
    assert database.cursors() == {}


def test_accept_loss(database: Database, stigmem: Run) -> None:
    """``--accept-loss`` restores the position and says what is given up."""
    database.add_peer("node-b")
    given = checkpoint(entry("node-b", **received(512, "node-b-511")))
    finished = stigmem("cursor-import", "-", "--accept-loss", given=given)
    assert finished.returncode == 0
    assert finished.stderr == (
        "warning: peer stigmem://node-b (inbound): restored, though 512 of 512 facts are "
        "missing from the database; the node never fetches them\n" + DONE.format(1, 0, 0) + "\n"
    )


def test_uncounted_facts(database: Database, stigmem: Run) -> None:
    """A checkpoint of the host restores as documented, with a warning where no fact is held."""
    database.add_peer("node-b")
    finished = stigmem("cursor-import", "-", given=checkpoint(entry("node-b")))
    assert finished.returncode == 0
    assert finished.stderr == (
        "warning: peer stigmem://node-b (inbound): the checkpoint counts no facts, and the "
        "database holds none from this peer; facts that it once held are never fetched again\n"
        + DONE.format(1, 0, 0)
        + "\n"
    )


def test_dry_run(database: Database, stigmem: Run) -> None:
    """``--dry-run`` says what would be done and changes nothing."""
    database.add_peer("node-b")
    database.add_facts("node-b", 1)
    before = database.path.read_bytes()
    finished = stigmem("cursor-import", "-", "--dry-run", given=checkpoint(entry("node-b")))
    assert finished.returncode == 0
    assert finished.stderr == (
        "dry run, nothing was changed: 1 would be restored, 0 skipped (peer not found), 0 skipped "
        "(already set)\n"
    )
    assert database.path.read_bytes() == before


def test_json(database: Database, stigmem: Run) -> None:
    """``--json`` prints the result to standard output as one document."""
    database.add_peer("node-b", peer_id="new-id")
    database.add_facts("node-b", 1)
    finished = stigmem("cursor-import", "-", "--json", given=checkpoint(entry("node-b")))
    assert finished.returncode == 0
    assert json.loads(finished.stdout) == {
        "version": 1,
        "command": "cursor-import",
        "dry_run": False,
        "errors": [],
        "table_missing": False,
        "undo_checkpoint": None,
        "counts": {
            "restored": 1,
            "peer not found": 0,
            "already set": 0,
            "facts missing": 0,
            "cleared": 0,
            "no position": 0,
        },
        "cursors": [
            {
                "peer_id": "new-id",
                "peer_node_id": "stigmem://node-b",
                "direction": "inbound",
                "outcome": "restored",
                "registered_again": True,
                "checkpoint": "-",
                "cursor": "1725349500000.005",
                "previous": None,
                "proof": "received",
                "facts_held": 1,
                "facts_missing": 0,
            }
        ],
    }


def test_foreign_checkpoint(node: Database, stigmem: Run) -> None:
    """The checkpoint of another node is refused whole."""
    given = checkpoint(entry("node-b"), node_id="stigmem://node-x")
    finished = stigmem("cursor-import", "-", "--force", given=given)
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: standard input is the checkpoint of node stigmem://node-x, and this database is "
        "that of stigmem://node-a; --accept-loss imports it anyway\n"
    )


def test_validated_before_the_database_is_opened(stigmem: Run, tmp_path: Path) -> None:
    """Every violation is listed with its place, though there is no database at all."""
    given = checkpoint(entry("node-b"), entry("node-c", direction="IN", peer_id=""))
    finished = stigmem("cursor-import", "-", "--db", "none.db", given=given)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        "error: standard input: cursors[1].peer_id: must not be empty\n"
        "error: standard input: cursors[1].direction: must be a lower-case word such as inbound, "
        'not "IN"\n'
    )
    assert list(tmp_path.iterdir()) == []


def test_all_or_nothing(database: Database, stigmem: Run) -> None:
    """When the database refuses one row, none is written."""
    database.add_peer("node-b")
    database.add_facts("node-b", 1)
    before = database.contents()
    given = checkpoint(entry("node-b"), entry("node-b", direction="tombstone_inbound"))
    finished = stigmem("cursor-import", "-", given=given)
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: stigmem.db: the database refused the cursors (directions: inbound, "
        "tombstone_inbound); nothing was changed\n"
    )
    assert database.contents() == before


def test_read_back(database: Database, stigmem: Run) -> None:
    """Rows that are not stored as written fail the import, and nothing is changed."""
    database.add_peer("node-b")
    database.add_facts("node-b", 1)
    database.run(
        "CREATE TRIGGER spoil AFTER INSERT ON replication_cursors BEGIN"
        " UPDATE replication_cursors SET cursor = 'other'; END"
    )
    finished = stigmem("cursor-import", "-", given=checkpoint(entry("node-b")))
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: stigmem.db: the cursors read back are not those written; nothing was changed\n"
    )
    assert database.cursors() == {}


def test_missing_database(stigmem: Run, tmp_path: Path) -> None:
    """A database that is not there is refused, and none is created."""
    finished = stigmem("cursor-import", "-", "--db", "typo.db", given=checkpoint(entry("node-b")))
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: no database at typo.db; name the node's with --db or STIGMEM_DB_PATH\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_missing_file(node: Database, stigmem: Run) -> None:
    """A FILE that is not there is one error line."""
    finished = stigmem("cursor-import", "none.json")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: cannot read checkpoint none.json: No such file or directory\n"
    )


def test_no_file_is_a_usage_error(stigmem: Run) -> None:
    """A forgotten FILE is a usage error: exit status 2."""
    finished = stigmem("cursor-import")
    assert finished.returncode == 2
    assert "the following arguments are required: FILE" in finished.stderr


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
    assert finished.stderr == (
        "warning: passed over: backup/cursors-13.json: not JSON: Expecting property name "
        "enclosed in double quotes (line 1 column 2)\n"
        "info: peer stigmem://node-b (inbound): from backup/cursors-11.json\n"
        + DONE.format(1, 0, 0)
        + "\n"
    )
    assert database.cursors() == {("id-of-node-b", "inbound"): "11.0"}


def test_many_lines_of_one_kind_are_cut(database: Database, stigmem: Run) -> None:
    """A mesh of peers that are all missing does not flood the terminal."""
    given = checkpoint(*(entry(f"node-{number}") for number in range(100)))
    lines = stigmem("cursor-import", "-", given=given).stderr.splitlines()
    assert len(lines) == 22
    assert lines[-2] == "warning: … and 80 more like these"
    assert lines[-1] == DONE.format(0, 100, 0)


def test_terminal_escapes_are_made_harmless(database: Database, stigmem: Run) -> None:
    """Text of a checkpoint cannot act on the terminal that it is printed to."""
    given = checkpoint(entry("node-b", peer_node_id="\x1b[2J\u202e\n"))
    stderr = stigmem("cursor-import", "-", given=given).stderr
    assert r"peer \x1b[2J\u202e\n (inbound)" in stderr
    assert "\x1b" not in stderr
