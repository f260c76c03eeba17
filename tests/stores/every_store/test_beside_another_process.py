"""Two processes on whatever database a node has: one waits for the other."""

import subprocess
from pathlib import Path

import pytest

from tests.builders import DONE, checkpoint, entry
from tests.nodes import StoredNode
from tests.running import BIN, environment_for, run_in


def test_two_imports(empty_node: StoredNode, tmp_path: Path) -> None:
    """Of two imports one comes first and restores; the other finds everything set."""
    names = [f"node-{number}" for number in range(20)]
    for name in names:
        empty_node.database.add_peer(name)
        empty_node.database.add_facts(name, 1)
    empty_node.database.run("DROP TABLE replication_cursors")
    for number in ("1", "2"):
        text = checkpoint(*(entry(name, f"{number}.0") for name in names))
        (tmp_path / f"{number}.json").write_text(text)
    running = [
        subprocess.Popen(
            [BIN / "stigmem-cursor", "import", f"{number}.json"],
            cwd=tmp_path,
            env=environment_for(BIN, **empty_node.environment),
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in ("1", "2")
    ]
    said = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert sorted(DONE.format(20, 0, 0) in text for text in said) == [False, True]
    first = next(number for number, text in enumerate(said) if DONE.format(20, 0, 0) in text)
    assert set(empty_node.database.cursors().values()) == {f"{first + 1}.0"}


@pytest.mark.slow
def test_locked(stored: StoredNode, tmp_path: Path) -> None:
    """A database that another process is writing is waited for, then refused; nothing changed."""
    begin = {
        "postgres": "LOCK TABLE peers IN ROW EXCLUSIVE MODE",
        "libsql": "UPDATE peers SET status = 'active'",
    }
    positions = stored.database.cursors()
    connection = stored.database.connect()
    (connection.cursor() if stored.kind == "postgres" else connection).execute(
        begin.get(stored.kind, "BEGIN IMMEDIATE")
    )
    try:
        command = ("stigmem-cursor", "import", "-", "--force")
        given = checkpoint(entry("node-b", "1.0"))
        finished = run_in(tmp_path, command, given, stored.environment)
    finally:
        connection.rollback()
        connection.close()
    assert finished.returncode == 1
    assert finished.stderr == (
        f"error: {stored.name} has been locked by another process for more than 5 s; stop the "
        "node, then run this again\n"
    )
    assert stored.database.cursors() == positions
