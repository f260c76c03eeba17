"""Paths that lead to a database, and those that do not."""

import os
from pathlib import Path

import pytest

from tests.builders import checkpoint, entry
from tests.database import Database
from tests.running import Run

GIVEN = checkpoint(entry("node-b", "1725349600000.0"))


@pytest.mark.parametrize(
    "name",
    [
        "a b.db",
        "a#b.db",
        "a?mode=memory.db",
        "a%20b.db",
        "%2e.db",
        "größe.db",
        "-dash.db",
        "a&b=c.db",
    ],
)
def test_odd_names(
    node: Database, stigmem: Run, tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    """A name that means something in a URI is taken as it is, and no other file appears."""
    node.path.rename(tmp_path / name)
    finished = stigmem(*command, f"--db={name}", given=GIVEN)
    assert finished.returncode == 0, finished.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_relative_and_linked(
    node: Database, stigmem: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """A relative path, and one through symbolic links, lead to the same database."""
    (tmp_path / "deep").mkdir()
    node.path.rename(tmp_path / "deep" / "real.db")
    (tmp_path / "link").symlink_to("deep")
    (tmp_path / "link.db").symlink_to("link/real.db")
    for name in ("deep/../link/real.db", "./link.db"):
        assert stigmem(*command, "--db", name, given=GIVEN).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "link", "link.db"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["real.db"]


def test_no_database_at_all(stigmem: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    """What is no database is named, and left as it is."""
    (tmp_path / "empty.db").touch()
    (tmp_path / "text.db").write_text("this is no database at all")
    (tmp_path / "dir.db").mkdir()
    cases = {
        "empty.db": "empty.db is empty: not the database of a stigmem node",
        "text.db": (
            "text.db is not a SQLite database, or it is encrypted; an encrypted one needs the "
            "node's key, in STIGMEM_AT_REST_KEY_PASSPHRASE_ENV or STIGMEM_AT_REST_KEY_KMS_URI"
        ),
        "dir.db": "dir.db is a directory, not a database",
        "none.db": "no database at none.db; name the node's with --db or STIGMEM_DB_PATH",
        "text.db/x": "no database at text.db/x; name the node's with --db or STIGMEM_DB_PATH",
        "nul\\0.db": "no database at nul\\0.db; name the node's with --db or STIGMEM_DB_PATH",
    }
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    for name, complaint in cases.items():
        finished = stigmem(*command, "--db", name, given=GIVEN)
        assert (finished.returncode, finished.stdout) == (1, "")
        assert finished.stderr == f"error: {complaint}\n"
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("cursor-export", "--out", ""), "--out"),
        (("cursor-export", "--db", ""), "--db"),
        (("cursor-import", ""), "FILE"),
        (("cursor-check", ""), "FILE"),
    ],
)
def test_empty_path(
    node: Database, stigmem: Run, tmp_path: Path, arguments: tuple[str, ...], name: str
) -> None:
    """An empty path, as from a variable that is not set, does not mean the current directory."""
    finished = stigmem(*arguments)
    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-2].endswith(f"error: argument {name}: is empty")
    assert [path.name for path in tmp_path.iterdir()] == ["stigmem.db"]


def test_empty_setting(stigmem: Run, tmp_path: Path) -> None:
    """An empty STIGMEM_DB_PATH is named."""
    finished = stigmem("cursor-export", STIGMEM_DB_PATH="")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: STIGMEM_DB_PATH is empty; name the node's database in it, or with --db\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_regular_file(tmp_path: Path, stigmem: Run, command: tuple[str, ...]) -> None:
    """A FIFO, which would wait for a writer, and a device are no databases."""
    os.mkfifo(tmp_path / "pipe.db")
    for name in ("pipe.db", "/dev/null"):
        finished = stigmem(*command, "--db", name, given=GIVEN)
        assert (finished.returncode, finished.stdout) == (1, "")
        assert finished.stderr == f"error: {name} is not a regular file, so not a database\n"
