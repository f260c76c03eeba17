"""Whatever is typed after ``--out`` and ``--metrics``, a file that is not ours stays."""

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.another_user import NOBODY, only_root, open_to_others, run_as_nobody
from tests.builders import checkpoint, entry
from tests.database import Database
from tests.nodes import Stores
from tests.running import CAN_MOUNT, Run, run_in


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
        kinds = ("a SQLite", "a part of a SQLite", "a part of a SQLite")
        for name, what in zip(files, kinds, strict=True):
            finished = stigmem("cursor-export", "--out", name, "--force")
            assert finished.returncode == 1
            assert finished.stderr == (
                f"error: {name} holds {what} database, not a checkpoint; nothing was written; "
                "name another file\n"
            )
        assert {name: (tmp_path / name).stat().st_ino for name in files} == before


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


@only_root
def test_unreadable_file(node: Database, tmp_path: Path) -> None:
    """Export, run as a service, refuses a FILE of root's: it names the owner and the remedy."""
    open_to_others(tmp_path)
    tmp_path.chmod(0o777)
    node.path.chmod(0o666)
    path = tmp_path / "c.json"
    path.write_text(checkpoint(entry("node-b")))
    path.chmod(0o600)
    before = path.read_bytes()
    remedy = "Permission denied (it belongs to root; run this as root, or `chown nobody c.json`)\n"
    for force in ((), ("--force",)):
        finished = run_as_nobody(tmp_path, "stigmem-cursor", "export", "--out", "c.json", *force)
        assert (finished.returncode, finished.stdout) == (1, "")
        assert finished.stderr.endswith(remedy)
        assert finished.stderr.count("\n") == 1
        assert (path.read_bytes(), path.stat().st_uid) == (before, 0)


@only_root
@pytest.mark.parametrize("command", ["export --out .", "check .", "import --assume-stopped ."])
def test_unreadable_file_in_a_directory(node: Database, tmp_path: Path, command: str) -> None:
    """In a directory, one with a name of export's is an error too: it may hide a loss."""
    open_to_others(tmp_path)
    tmp_path.chmod(0o777)
    node.path.chmod(0o666)
    name = "cursors-20260502T183000Z.json"
    (tmp_path / name).write_text(checkpoint(entry("node-b")))
    (tmp_path / name).chmod(0o600)
    (tmp_path / "cursors-20260502T170000Z.json").write_text(checkpoint(entry("node-b")))
    (tmp_path / "cursors-20260502T170000Z.json").chmod(0o644)
    finished = run_as_nobody(tmp_path, "stigmem-cursor", *command.split())
    assert finished.returncode == 1
    assert (
        f"error: cannot read checkpoint {name}: Permission denied (it belongs to root; run this as "
        f"root, or `chown nobody {name}`)\n"
    ) in finished.stderr


@only_root
def test_directory_that_may_not_be_searched(node: Database, tmp_path: Path) -> None:
    """A FILE in a directory that may not be searched is no FILE that is not there."""
    open_to_others(tmp_path)
    node.path.chmod(0o666)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "c.json").write_text(checkpoint(entry("node-b")))
    why = "Permission denied (directory closed belongs to root; run this as root, or `chown nobody "
    for arguments in (("export", "--out", "closed/c.json"), ("check", "closed/c.json")):
        finished = run_as_nobody(tmp_path, "stigmem-cursor", *arguments)
        assert finished.returncode == 1
        assert finished.stderr.count("\n") == 1
        assert f"closed/c.json: {why}closed`)\n" in finished.stderr


@only_root
def test_own_file_without_permission(node: Database, tmp_path: Path) -> None:
    """Of one's own file it is said which permission is missing."""
    open_to_others(tmp_path)
    path = tmp_path / "c.json"
    path.write_text(checkpoint(entry("node-b")))
    os.chown(path, NOBODY, NOBODY)
    path.chmod(0o000)
    finished = run_as_nobody(tmp_path, "stigmem-cursor", "check", "c.json")
    assert finished.stderr == (
        "error: cannot read checkpoint c.json: Permission denied (it is yours; `chmod u+rw "
        "c.json`)\n"
    )


def test_fifo_in_a_directory(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """A FIFO in a directory is passed over by every command, and nobody waits for a writer."""
    directory = tmp_path / "kept"
    directory.mkdir()
    os.mkfifo(directory / "cursors-20260502T183000Z.json")
    (directory / "c.json").write_text(checkpoint(entry("node-b")))
    warning = "warning: passed over: kept/cursors-20260502T183000Z.json is not a regular file\n"
    assert stigmem("cursor-check", "kept").stderr == warning
    assert stigmem("cursor-import", "kept").stderr.startswith(warning)
    finished = stigmem("cursor-export", "--out", "kept", "--keep", "1")
    assert finished.returncode == 0


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
        r"--no-undo goes on without\n",
        finished.stderr,
    )
    assert node.contents() == before
