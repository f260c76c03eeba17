"""``--force`` overwrites positions, and the undo checkpoint puts them back."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.builders import DONE, checkpoint, entry, lines
from tests.database import Database
from tests.running import CAN_MOUNT, Run, run_in


def test_force_overwrites(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """``--force`` moves a position, says from where to where, and keeps the old one."""
    given = checkpoint(entry("node-b", "1725349400000.0"))
    finished = stigmem("cursor-import", "-", "--force", given=given)
    undo = next(tmp_path.glob("*.undo-*.json")).name
    assert finished.returncode == 0
    assert finished.stderr == lines(
        "info: peer stigmem://node-b (inbound): moved back, from 2024-09-03T07:45:00Z to "
        "2024-09-03T07:43:20Z",
        f"undo checkpoint written: {undo}; to go back, import it with --force",
        DONE.format(1, 0, 0),
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


@pytest.mark.parametrize("file", ["/dev/stdin", "-", "pipe"])
def test_undo_of_what_is_no_file(
    node: Database, stigmem: Run, run: Run, tmp_path: Path, file: str
) -> None:
    """Where FILE is a stream, the undo checkpoint goes to the working directory."""
    os.mkfifo(tmp_path / "pipe")
    given = checkpoint(entry("node-b", "1725349400000.0"))
    (tmp_path / "given.json").write_text(given)
    command = f"stigmem federation cursor-import --force {file} < given.json"
    if file == "pipe":
        command = f"cat given.json > pipe & exec {command}"
    finished = run("/bin/sh", "-c", command)
    assert finished.returncode == 0, finished.stderr
    (undo,) = tmp_path.glob("*undo*")
    assert undo.name.startswith("cursors.undo-")
    assert f"undo checkpoint written: {undo.name}; " in finished.stderr


@pytest.mark.skipif(not CAN_MOUNT, reason="mount namespaces are not allowed here")
def test_undo_on_read_only_media(node: Database, tmp_path: Path) -> None:
    """Where the undo checkpoint cannot be written nothing is, and the message names --no-undo."""
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "c.json").write_text(checkpoint(entry("node-b", "1725349400000.0")))
    before = node.contents()
    read_only = 'mount --bind media media && mount -o remount,bind,ro media && exec "$@"'
    command = ("stigmem", "federation", "cursor-import", "--force", "media/c.json")
    finished = run_in(
        tmp_path, ("/usr/bin/env", "unshare", "-m", "sh", "-c", read_only, "sh", *command)
    )
    assert finished.returncode == 1
    assert re.fullmatch(
        r"error: cannot write media/c\.undo-\w+\.json: Read-only file system; nothing was changed; "
        r"--no-undo imports without an undo checkpoint\n",
        finished.stderr,
    )
    assert node.contents() == before


def test_no_undo_checkpoint_of_nothing(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """Where the database refuses the new positions, no undo checkpoint is left."""
    node.run(
        "CREATE TRIGGER guard BEFORE UPDATE ON replication_cursors BEGIN"
        " SELECT RAISE(ABORT, 'not now'); END"
    )
    before = sorted(path.name for path in tmp_path.iterdir())
    given = checkpoint(entry("node-b", "1725349400000.0"))
    finished = stigmem("cursor-import", "-", "--force", given=given)
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: stigmem.db: the database refused the cursors (directions: inbound); nothing was "
        "changed\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == before
