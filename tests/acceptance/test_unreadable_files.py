"""A file that is there and cannot be read is not "no file"."""

import os
from pathlib import Path

import pytest

from tests.another_user import NOBODY, only_root, open_to_others, run_as_nobody
from tests.builders import checkpoint, entry
from tests.database import Database
from tests.running import Run


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


@pytest.mark.parametrize("name", ["c.json", "kept"])
def test_a_link_that_leads_nowhere(node: Database, stigmem: Run, tmp_path: Path, name: str) -> None:
    """A link to a checkpoint on a disk that is not mounted is an error that says what to do."""
    (tmp_path / "kept").mkdir()
    link = "c.json" if name == "c.json" else "kept/cursors-20260502T183000Z.json"
    (tmp_path / link).symlink_to("/mnt/nowhere/c.json")
    for command in ("cursor-check", "cursor-import"):
        finished = stigmem(command, name)
        assert finished.returncode == 1
        assert finished.stderr.splitlines()[0] == (
            f"error: cannot read checkpoint {link} (a link to /mnt/nowhere/c.json): No such file "
            "or directory; remove the link, or put the file back"
        )
