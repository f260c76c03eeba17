"""Databases as they are found on a bad day."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.another_user import only_root, open_to_others, run_as_nobody
from tests.builders import DONE, EXPORTED, checkpoint, entry, steady
from tests.database import Database
from tests.running import BIN, CAN_MOUNT, Run, environment_for

GIVEN = checkpoint(entry("node-b", "1725349600000.0"))


def test_corrupt_page(node: Database, stigmem: Run, command: tuple[str, ...]) -> None:
    """A page that is overwritten is one error line, and the file is left as it is."""
    data = bytearray(node.path.read_bytes())
    data[4096 : len(data)] = b"\xa5" * (len(data) - 4096)
    node.path.write_bytes(data)
    finished = stigmem(*command, "--db", "stigmem.db", given=GIVEN)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == "error: stigmem.db: database disk image is malformed\n"
    assert node.path.read_bytes() == data


def test_truncated_database(node: Database, stigmem: Run, command: tuple[str, ...]) -> None:
    """A database cut short is one error line, and the file is left as it is."""
    data = node.path.read_bytes()
    node.path.write_bytes(data[: len(data) // 2])
    finished = stigmem(*command, "--db", "stigmem.db", given=GIVEN)
    assert finished.returncode == 1
    assert finished.stderr == "error: stigmem.db: database disk image is malformed\n"
    assert node.path.read_bytes() == data[: len(data) // 2]


def test_locked_for_longer_than_the_timeout(node: Database, stigmem: Run) -> None:
    """A lock that is not released is one error line that says to stop the node."""
    with closing(sqlite3.connect(node.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        finished = stigmem("cursor-import", "-", given=checkpoint(entry("node-b")))
        assert stigmem("cursor-check").returncode == 0
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: stigmem.db has been locked by another process for more than 5 s; stop the node, "
        "then run this again\n"
    )


def test_rollback_journal_mode(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """A database in rollback-journal mode works, and stays in that mode."""
    node.run("PRAGMA journal_mode = DELETE")
    before = node.path.read_bytes()
    assert stigmem("cursor-export").returncode == 0
    assert node.path.read_bytes() == before
    finished = stigmem("cursor-import", "-", "--force", "--no-undo", given=GIVEN)
    assert finished.stderr.endswith(DONE.format(1, 0, 0) + "\n")
    assert node.run("PRAGMA journal_mode") == [("delete",)]
    assert [path.name for path in tmp_path.iterdir()] == ["stigmem.db"]


HALF_WRITTEN = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = DELETE")
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("DELETE FROM replication_cursors")
connection.execute("CREATE TABLE large AS SELECT randomblob(500000)")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_in_the_middle_of_a_write(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """What a killed writer had not committed does not count, and export leaves undoing it."""
    subprocess.run([sys.executable, "-c", HALF_WRITTEN, str(node.path)], check=False)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(path.name for path in before) == ["stigmem.db", "stigmem.db-journal"]
    assert steady(stigmem("cursor-export").stdout) == EXPORTED
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    finished = stigmem("cursor-import", "-", "--force", "--no-undo", given=GIVEN)
    assert finished.stderr.endswith(DONE.format(1, 0, 0) + "\n")
    assert [path.name for path in tmp_path.iterdir()] == ["stigmem.db"]


READ_ONLY = 'mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" && exec "$@"'


@pytest.mark.skipif(not CAN_MOUNT, reason="mount namespaces are not allowed here")
def test_read_only_file_system(node: Database, tmp_path: Path) -> None:
    """On a read-only file system export works, and import and --out fail in one line."""
    before = node.path.read_bytes()

    def on_read_only(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", "stigmem", "federation", *arguments],
            cwd=tmp_path,
            env=environment_for(BIN),
            input=GIVEN,
            check=False,
            capture_output=True,
            text=True,
        )

    assert on_read_only("cursor-export").returncode == 0
    assert on_read_only("cursor-export", "--out", "c.json").stderr == (
        "error: cannot write c.json: Read-only file system\n"
    )
    refused = on_read_only("cursor-import", "-", "--force", "--no-undo")
    assert refused.returncode == 1
    assert (
        refused.stderr
        == "error: cannot write to stigmem.db: the database or the directory it is in is "
        "read-only\n"
    )
    assert node.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["stigmem.db"]


def test_left_by_a_crash(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """With a log that a crashed node left, export and check see its content and leave it."""
    with closing(sqlite3.connect(node.path, isolation_level=None)) as crashed:
        crashed.execute("UPDATE replication_cursors SET cursor = '1725349800000.0'")
        (tmp_path / "after").mkdir()
        for name in ("stigmem.db", "stigmem.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / "after" / name)
    directory = tmp_path / "after"
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    finished = stigmem("cursor-check", "--db", "after/stigmem.db")
    assert finished.stdout.count("2024-09-03T07:50:00Z") == 2
    assert stigmem("cursor-export", "--db", "after/stigmem.db").returncode == 0
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


@only_root
def test_database_that_cannot_be_read(node: Database, tmp_path: Path) -> None:
    """A database that the user may not read is one error line, with whose it is."""
    node.path.chmod(0o600)
    open_to_others(tmp_path)
    finished = run_as_nobody(tmp_path, "stigmem-cursor", "export")
    assert finished.stderr == (
        "error: cannot open database stigmem.db: Permission denied (it belongs to root; run this "
        "as root, or `chown nobody stigmem.db`)\n"
    )


@only_root
@pytest.mark.parametrize("logged", [False, True], ids=["clean", "with its log"])
def test_backup_of_another_user(node: Database, tmp_path: Path, logged: bool) -> None:
    """A backup that belongs to root, where the service user cannot write, is read all the same."""
    backups = tmp_path / "backups"
    backups.mkdir()
    backup = backups / "stigmem.db"
    with closing(sqlite3.connect(node.path, isolation_level=None)) as connection:
        assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        if logged:
            connection.execute("UPDATE replication_cursors SET cursor = '1725349800000.0'")
            shutil.copy(f"{node.path}-wal", f"{backup}-wal")
        shutil.copy(node.path, backup)
    for path in backups.iterdir():
        path.chmod(0o644)
    open_to_others(backups)
    before = {path.name: path.read_bytes() for path in backups.iterdir()}
    found = run_as_nobody(backups, "stigmem-cursor", "check", "--db", str(backup))
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.count("2024-09-03T07:50:00Z") == (2 if logged else 0)
    exported = run_as_nobody(backups, "stigmem-cursor", "export", "--db", str(backup))
    assert (exported.returncode, exported.stderr) == (0, "")
    assert {path.name: path.read_bytes() for path in backups.iterdir()} == before
