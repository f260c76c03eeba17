"""``cursor-export`` as a user sees it."""

import json
import stat
from pathlib import Path

import pytest

from tests.builders import EXPORTED, checkpoint, entry, steady
from tests.database import Database
from tests.running import Run


def test_standard_output(node: Database, stigmem: Run) -> None:
    """Without --out the checkpoint is all that standard output gets."""
    finished = stigmem("cursor-export")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert steady(finished.stdout) == EXPORTED


def test_dash_is_standard_output(node: Database, stigmem: Run) -> None:
    """``--out -`` means standard output."""
    assert steady(stigmem("cursor-export", "--out", "-").stdout) == EXPORTED


def test_file(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """With --out the checkpoint is written to a file of mode 0600, and said on stderr."""
    finished = stigmem("cursor-export", "--out", "c.json")
    assert (finished.returncode, finished.stdout) == (0, "")
    assert finished.stderr == "checkpoint written: c.json (2 cursor(s))\n"
    assert steady((tmp_path / "c.json").read_text()) == EXPORTED
    assert stat.S_IMODE((tmp_path / "c.json").stat().st_mode) == 0o600


def test_standalone_is_the_same(node: Database, run: Run) -> None:
    """``stigmem-cursor export`` and ``python -m`` write the same checkpoint."""
    assert steady(run("stigmem-cursor", "export").stdout) == EXPORTED
    assert steady(run("python", "-m", "stigmem_cursor_plugin", "export").stdout) == EXPORTED


def test_nothing_is_changed(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """The database is byte for byte as it was, and no file stays beside it."""
    before = node.path.read_bytes()
    stigmem("cursor-export")
    assert node.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["stigmem.db"]


def test_replaces_a_file_whole(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """An older file is replaced by rename: whoever has it open still reads the old one."""
    target = tmp_path / "c.json"
    old = checkpoint(entry("node-b"))
    target.write_text(old)
    with target.open() as opened:
        assert stigmem("cursor-export", "--out", "c.json").returncode == 0
        assert opened.read() == old
    assert json.loads(target.read_text())["node_id"] == "stigmem://node-a"


def test_redirected_device(node: Database, stigmem: Run) -> None:
    """``--out /dev/stdout`` writes to standard output."""
    finished = stigmem("cursor-export", "--out", "/dev/stdout")
    assert finished.returncode == 0
    assert steady(finished.stdout) == EXPORTED


def test_missing_directory(node: Database, stigmem: Run) -> None:
    """A FILE in a directory that is not there is one error line."""
    finished = stigmem("cursor-export", "--out", "no/c.json")
    assert finished.returncode == 1
    assert finished.stderr == "error: cannot write no/c.json: No such file or directory\n"


def test_missing_database(stigmem: Run, tmp_path: Path) -> None:
    """A database that is not there is an error, and none is created."""
    finished = stigmem("cursor-export", "--db", "typo.db")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        "error: no database at typo.db; name the node's with --db or STIGMEM_DB_PATH\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_foreign_database(database: Database, stigmem: Run) -> None:
    """A SQLite database without the table peers is refused."""
    database.run("PRAGMA foreign_keys = OFF")
    database.run("DROP TABLE replication_cursors")
    database.run("DROP TABLE peers")
    finished = stigmem("cursor-export")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        "error: stigmem.db: no table peers: this is not the database of a stigmem node, or its "
        "migrations have not been applied; apply them with `stigmem migrate normalize-entities "
        "--dry-run`, have the peers register again, then import\n"
    )


def test_nothing_to_checkpoint(database: Database, stigmem: Run) -> None:
    """A database that has lost every position is not exported."""
    database.add_peer("node-b")
    database.add_facts("node-b", 1)
    finished = stigmem("cursor-export")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        "error: stigmem.db has lost every position, or its first pull is under way\n"
        "error: if this stays, stop the node and run `stigmem federation cursor-import FILE`, or "
        "without a checkpoint `stigmem federation cursor-catchup`; --force writes an empty "
        "checkpoint\n"
    )


@pytest.mark.parametrize("peers", [[], ["node-b"]], ids=["no peers", "a peer that sent nothing"])
def test_new_node(database: Database, stigmem: Run, peers: list[str]) -> None:
    """A node that has lost nothing gives no alarm: its checkpoint is empty, exit 0."""
    for name in peers:
        database.add_peer(name)
    finished = stigmem("cursor-export", "--out", "c.json")
    assert (finished.returncode, finished.stderr) == (
        0,
        "checkpoint written: c.json (0 cursor(s))\n",
    )
    assert stigmem("cursor-export", "--out", "c.json").returncode == 0


def test_forced_empty(database: Database, stigmem: Run) -> None:
    """``--force`` exports a database without positions."""
    finished = stigmem("cursor-export", "--force")
    assert finished.returncode == 0
    assert json.loads(finished.stdout)["cursors"] == []


def test_dropped_table(node: Database, stigmem: Run) -> None:
    """A dropped cursor table is named, with the command that recovers."""
    node.run("DROP TABLE replication_cursors")
    finished = stigmem("cursor-export")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: stigmem.db has no table replication_cursors\n"
        "error: stop the node and run `stigmem federation cursor-import FILE`, or without "
        "a checkpoint `stigmem federation cursor-catchup`; --force writes an empty checkpoint\n"
    )


def test_usage_error(stigmem: Run) -> None:
    """An unknown flag is a usage error: exit status 2."""
    finished = stigmem("cursor-export", "--output", "c.json")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "unrecognized arguments: --output" in finished.stderr
