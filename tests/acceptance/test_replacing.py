"""Whatever is typed after ``--out`` and ``--metrics``, a file that is not ours stays."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.builders import checkpoint, entry
from tests.database import Database
from tests.nodes import Stores
from tests.running import Run


def _link(directory: Path) -> None:
    (directory / "c.json").symlink_to("stigmem.db")


def _hard_link(directory: Path) -> None:
    (directory / "c.json").hardlink_to(directory / "stigmem.db")


def _nowhere(directory: Path) -> None:
    (directory / "c.json").symlink_to("unmounted/c.json")


def _holding(data: bytes) -> Callable[[Path], None]:
    def prepare(directory: Path) -> None:
        (directory / "c.json").write_bytes(data)

    return prepare


METRICS = b"# HELP stigmem_cursor_x X.\n# TYPE stigmem_cursor_x gauge\nstigmem_cursor_x 1.0\n"
FOREIGN = {
    "link": (_link, "c.json (a link to stigmem.db) holds a SQLite database"),
    "hard link": (_hard_link, "c.json holds a SQLite database"),
    "link to nothing": (_nowhere, "c.json (a link to unmounted/c.json) leads nowhere"),
    "encrypted": (_holding(bytes(range(256))), "c.json holds binary data"),
    "text": (_holding(b"precious\n"), "c.json holds other text"),
    "other JSON": (_holding(b'{"cursors": []}'), "c.json holds other text"),
    "list": (_holding(b"[]"), "c.json holds other text"),
    "zeros": (_holding(bytes(100)), "c.json holds binary data"),
}


def everything_in(directory: Path) -> dict[str, bytes | str]:
    """Return what is in a directory, links not followed."""
    return {
        path.name: str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in directory.iterdir()
    }


@pytest.mark.parametrize("kind", [*FOREIGN, "metrics"])
def test_out_onto_something_else(node: Database, stigmem: Run, tmp_path: Path, kind: str) -> None:
    """Export does not replace what is no checkpoint, ``--force`` or not, and says what is there."""
    others = {"metrics": (_holding(METRICS), "c.json holds metrics")}
    prepare, what = (FOREIGN | others)[kind]
    prepare(tmp_path)
    before = everything_in(tmp_path)
    reason = "" if "nowhere" in what else ", not a checkpoint"
    for force in ((), ("--force",)):
        finished = stigmem("cursor-export", "--out", "c.json", *force)
        assert (finished.returncode, finished.stdout) == (1, "")
        assert finished.stderr == (
            f"error: {what}{reason}; nothing was written; name another file\n"
        )
        assert everything_in(tmp_path) == before


@pytest.mark.parametrize("kind", [*FOREIGN, "checkpoint"])
def test_metrics_onto_something_else(
    node: Database, stigmem: Run, tmp_path: Path, kind: str
) -> None:
    """Check does not replace what holds no metrics; the checkpoint that it checks stays too."""
    given = _holding(checkpoint(entry("node-b")).encode())
    prepare, what = (FOREIGN | {"checkpoint": (given, "c.json holds a checkpoint")})[kind]
    prepare(tmp_path)
    before = everything_in(tmp_path)
    finished = stigmem("cursor-check", "--metrics", "c.json")
    reason = "" if "nowhere" in what else ", not metrics"
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1] == (
        f"error: {what}{reason}; nothing was written; name another file"
    )
    assert everything_in(tmp_path) == before


def test_out_onto_the_open_database(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """Neither the database of a node that runs nor the files beside it are replaced."""
    with closing(sqlite3.connect(node.path, isolation_level=None)) as running:
        running.execute("UPDATE replication_cursors SET cursor = '1725349800000.0'")
        files = ("stigmem.db", "stigmem.db-wal", "stigmem.db-shm")
        before = {name: (tmp_path / name).stat().st_ino for name in files}
        part = "has the name of a part of a SQLite database"
        for name, what in zip(
            files, ("holds a SQLite database, not a checkpoint", part, part), strict=True
        ):
            finished = stigmem("cursor-export", "--out", name, "--force")
            assert finished.returncode == 1
            assert finished.stderr == (
                f"error: {name} {what}; nothing was written; name another file\n"
            )
        assert {name: (tmp_path / name).stat().st_ino for name in files} == before


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_out_onto_what_sqlite_would_take(
    node: Database, stigmem: Run, tmp_path: Path, suffix: str
) -> None:
    """The log of a database may be empty, or not there yet, while a node writes."""
    name = f"other.db{suffix}"
    for content in (None, b""):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        for command in (("cursor-export", "--out", name), ("cursor-check", "--metrics", name)):
            finished = stigmem(*command)
            assert finished.returncode == 1, node
            assert finished.stderr == (
                f"error: {name} has the name of a part of a SQLite database; nothing was written; "
                "name another file\n"
            )
        assert (tmp_path / name).exists() is (content is not None)


def test_out_onto_an_encrypted_database(stores: Stores, stigmem: Run, tmp_path: Path) -> None:
    """A database that SQLCipher encrypts is not replaced, either."""
    node = stores.make("sqlcipher", tmp_path)
    before = node.database.path.read_bytes()
    finished = stigmem("cursor-export", "--out", "stigmem.db", "--force", **node.environment)
    assert (finished.returncode, finished.stderr) == (
        1,
        "error: stigmem.db holds binary data, not a checkpoint; nothing was written; name another "
        "file\n",
    )
    assert node.database.path.read_bytes() == before


@pytest.mark.parametrize(
    "there",
    [
        b"",
        b"\n",
        b"{",
        b'{\n  "checkpoint_timestamp": "2026-05-02T18:30:00Z",\n  "db_pa',
        b'\xef\xbb\xbf{"checkpoint_timestamp": 5}',
        b'{"cursors": [], "db_path": null, "checkpoint_timestamp": "2026-05-02T18:30:00Z"}',
    ],
    ids=["empty", "a newline", "torn at once", "torn", "edited badly", "in another order"],
)
def test_out_onto_a_checkpoint(node: Database, stigmem: Run, tmp_path: Path, there: bytes) -> None:
    """Export replaces what is empty, a checkpoint however damaged, or a torn one."""
    (tmp_path / "c.json").write_bytes(there)
    finished = stigmem("cursor-export", "--out", "c.json")
    assert finished.stderr == "checkpoint written: c.json (2 cursor(s))\n"
    assert finished.returncode == 0


@pytest.mark.parametrize("there", [b"", METRICS], ids=["empty", "metrics"])
def test_metrics_onto_metrics(node: Database, stigmem: Run, tmp_path: Path, there: bytes) -> None:
    """Check replaces metrics, and an empty file."""
    (tmp_path / "c.prom").write_bytes(there)
    assert stigmem("cursor-check", "--metrics", "c.prom").returncode == 0
    assert "stigmem_cursor_check_fit 1.0" in (tmp_path / "c.prom").read_text()


def test_link_is_replaced(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """A link to a checkpoint is replaced, not followed: the checkpoint it leads to stays."""
    text = checkpoint(entry("node-b"))
    (tmp_path / "old.json").write_text(text)
    (tmp_path / "c.json").symlink_to("old.json")
    assert stigmem("cursor-export", "--out", "c.json").returncode == 0
    assert (tmp_path / "old.json").read_text() == text
    assert not (tmp_path / "c.json").is_symlink()


def test_appended_to(node: Database, run: Run, tmp_path: Path) -> None:
    """``--out /dev/stdout >> file`` appends, as the shell was told; nothing is truncated."""
    (tmp_path / "log").write_text("before\n")
    command = "stigmem federation cursor-export --out /dev/stdout >> log"
    assert run("/bin/sh", "-c", command).returncode == 0
    assert (tmp_path / "log").read_text().startswith('before\n{\n  "checkpoint_timestamp"')


def test_left_over_by_a_killed_export(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """The next export to the same place removes what a killed one left, and nothing else."""
    left = tmp_path / ".stigmem-cursor.0123456789abcdef.tmp"
    left.write_text("{")
    (tmp_path / ".stigmem-cursor.mine.tmp").touch()
    assert stigmem("cursor-export", "--out", "c.json").returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".stigmem-cursor.mine.tmp",
        "c.json",
        "stigmem.db",
    ]


@pytest.mark.parametrize("peer", ["node-b", "node-x"])
@pytest.mark.parametrize("db_path", ["/srv/x.db", "stigmem.db"])
@pytest.mark.parametrize("known", [True, False])
def test_a_checkpoint_that_names_no_node(
    node: Database, stigmem: Run, tmp_path: Path, db_path: str, known: bool, peer: str
) -> None:
    """The host's own names none: with no peer id of this node, it is kept.

    All peers may have been registered again: then the database has the same name, and a peer too.
    """
    given = checkpoint(entry(peer, peer_id="id-of-node-b" if known else "other"))
    given = given.replace("/var/lib/stigmem/stigmem.db", db_path)
    (tmp_path / "c.json").write_text(given)
    finished = stigmem("cursor-export", "--out", "c.json")
    if known or (db_path == "stigmem.db" and peer == "node-b"):
        assert finished.returncode == 0
        return
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        "error: c.json seems to be another node's checkpoint: it is of the database "
        f"{db_path}, and knows none of the peers of this one; nothing was written; name another "
        "file, or --force to replace it\n"
    )
    assert (tmp_path / "c.json").read_text() == given
    assert stigmem("cursor-export", "--out", "c.json", "--force").returncode == 0


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("notes.txt", "\n" * 5_000 + "precious"),
        ("conf.json", "{" + " " * 5_000 + '"precious": 1}'),
    ],
)
@pytest.mark.parametrize("option", ["export --out", "check --metrics"])
def test_what_begins_like_nothing(
    node: Database, run: Run, tmp_path: Path, name: str, before: str, option: str
) -> None:
    """A file that begins with thousands of blanks is not ours for that."""
    (tmp_path / name).write_text(before)
    finished = run("stigmem-cursor", *option.split(), name)
    assert finished.returncode == 1
    assert "nothing was written; name another file" in finished.stderr
    assert (tmp_path / name).read_text() == before


def test_metrics_to_a_directory_that_is_not_there(
    node: Database, stigmem: Run, tmp_path: Path
) -> None:
    """A name with a slash at its end is a directory, not a file."""
    finished = stigmem("cursor-check", "--metrics", "none/")
    assert finished.returncode == 1
    assert "error: no directory none/\n" in finished.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["stigmem.db"]
