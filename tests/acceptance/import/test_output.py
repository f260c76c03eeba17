"""What ``cursor-import`` prints for a program, for a person, and in a dry run."""

import json

from tests.builders import DONE, checkpoint, entry, lines
from tests.database import Database
from tests.running import Run


def test_dry_run(database: Database, stigmem: Run) -> None:
    """``--dry-run`` says what would be done and changes nothing."""
    database.add_peer("node-b")
    database.add_facts("node-b", 1)
    before = database.path.read_bytes()
    finished = stigmem("cursor-import", "-", "--dry-run", given=checkpoint(entry("node-b")))
    assert finished.returncode == 0
    assert finished.stderr == lines(
        "dry run, nothing was changed: 1 would be restored, 0 skipped (peer not found), 0 skipped "
        "(already set)",
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
        "running_node": None,
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
