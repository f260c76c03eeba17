"""Whatever database a node has: the same outcomes, the same messages, the same exit status.

Run in this process, because the tests are many; the host's settings are read anew each time.
"""

import gc
import io
import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from stigmem_cursor_plugin import cli
from tests.builders import DONE, EXPORTED, checkpoint, entry, received, steady
from tests.nodes import STORES, StoredNode, Stores
from tests.running import BIN, Finished, environment_for

Stigmem = Callable[..., Finished]


@pytest.fixture(params=STORES)
def empty_node(request: pytest.FixtureRequest, stores: Stores, tmp_path: Path) -> StoredNode:
    """A node without peers, on each kind of database."""
    return stores.make(request.param, tmp_path)


@pytest.fixture
def stored(empty_node: StoredNode) -> StoredNode:
    """The same with two peers, positions for both, and facts received from the first."""
    empty_node.database.fill()
    return empty_node


@pytest.fixture
def stigmem(
    empty_node: StoredNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stigmem]:
    """Run ``stigmem-cursor`` with the node's settings, in the test's directory."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"STIGMEM_PORT": "1", "COLUMNS": "80", **empty_node.environment}.items():
        monkeypatch.setenv(name, value)

    def stigmem(*arguments: str, given: str = "") -> Finished:
        monkeypatch.setattr("sys.argv", ["stigmem-cursor", *arguments])
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    terminate = signal.getsignal(signal.SIGTERM)
    yield stigmem
    signal.signal(signal.SIGTERM, terminate)
    gc.enable()


def test_export(stored: StoredNode, stigmem: Stigmem) -> None:
    """The checkpoint is the same but for the name of the database."""
    finished = stigmem("export")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert steady(finished.stdout).replace(stored.name, "stigmem.db") == EXPORTED


def test_nothing_to_export(empty_node: StoredNode, stigmem: Stigmem) -> None:
    """A node that has lost every position is not exported; one that never had any is."""
    empty_node.database.add_peer("node-b")
    assert stigmem("export").returncode == 0
    empty_node.database.add_facts("node-b", 1)
    finished = stigmem("export")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        f"error: {empty_node.name} has lost every position; stop the node and run "
        "`stigmem-cursor import FILE`; --force writes an empty checkpoint\n"
    )


def test_last_good_copy(stored: StoredNode, stigmem: Stigmem) -> None:
    """An export after a position was lost keeps the checkpoint that has it."""
    assert stigmem("export", "--out", "c.json").returncode == 0
    before = Path("c.json").read_bytes()
    stored.database.run("DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'")
    finished = stigmem("export", "--out", "c.json")
    assert finished.returncode == 1
    assert "stigmem://node-b" in finished.stderr
    assert Path("c.json").read_bytes() == before


def test_dropped_table(stored: StoredNode, stigmem: Stigmem) -> None:
    """A dropped table is created again, with what it demands of its rows."""
    positions = stored.database.cursors()
    stigmem("export", "--out", "c.json")
    stored.database.run("DROP TABLE replication_cursors")
    finished = stigmem("import", "c.json")
    assert (finished.returncode, finished.stdout) == (0, "")
    assert finished.stderr == (
        "info: the table replication_cursors is missing: creating it again\n"
        + DONE.format(2, 0, 0)
        + "\n"
    )
    assert stored.database.cursors() == positions
    for row in (
        "'id-of-node-b', 'sideways', '1.0', '2026'",
        "'id-of-node-b', 'inbound', '1.0', '2026'",
        "NULL, 'outbound', '1.0', '2026'",
        "'id-of-node-b', 'outbound', '1.0', NULL",
    ):
        with pytest.raises(Exception, match=r"(?i)constraint"):
            stored.database.run(f"INSERT INTO replication_cursors VALUES ({row})")


def test_import_twice(stored: StoredNode, stigmem: Stigmem) -> None:
    """Empty positions are restored; the second time they are set already."""
    stored.database.run("UPDATE replication_cursors SET cursor = NULL")
    given = checkpoint(entry("node-b"), entry("node-d"))
    missing = (
        "warning: peer stigmem://node-d (inbound): not found in the peers table, skipped; "
        "register it again (stigmem federation register-peer), then run this import again\n"
    )
    first = stigmem("import", "-", given=given)
    assert (first.returncode, first.stderr) == (0, missing + DONE.format(1, 1, 0) + "\n")
    second = stigmem("import", "-", given=given)
    assert second.returncode == 0
    assert second.stderr == (
        "info: peer stigmem://node-b (inbound): already set, skipped; --force overwrites it\n"
        + missing
        + DONE.format(0, 1, 1)
        + "\n"
    )
    assert stored.database.cursors()["id-of-node-b", "inbound"] == "1725349500000.005"


def test_facts_missing(empty_node: StoredNode, stigmem: Stigmem) -> None:
    """A position whose facts the database lacks is withheld, and only that."""
    for name in ("node-b", "node-c", "node-d"):
        empty_node.database.add_peer(name)
        empty_node.database.add_facts(name, 2)
    given = checkpoint(
        entry("node-b", **received(3, "node-b-1")),
        entry("node-c", **received(2, "node-c-1")),
        entry("node-d", **received(2, "another-fact")),
    )
    finished = stigmem("import", "-", given=given)
    assert finished.returncode == 3
    assert finished.stderr.endswith(
        "cursor import complete: 1 restored, 0 skipped (peer not found), 0 skipped (already set), "
        "2 withheld (facts missing)\n"
    )
    assert empty_node.database.cursors() == {("id-of-node-c", "inbound"): "1725349500000.005"}


def test_force_and_undo(stored: StoredNode, stigmem: Stigmem) -> None:
    """What --force overwrites is put back from the undo checkpoint."""
    positions = stored.database.cursors()
    given = checkpoint(entry("node-b", "1725349499000.1"))
    Path("c.json").write_text(given)
    assert stigmem("import", "c.json", "--force").returncode == 0
    assert stored.database.cursors()["id-of-node-b", "inbound"] == "1725349499000.1"
    undo = next(path.name for path in Path().glob("c.undo-*.json"))
    assert stigmem("import", undo, "--force", "--no-undo").returncode == 0
    assert stored.database.cursors() == positions


def test_dry_run(stored: StoredNode, stigmem: Stigmem) -> None:
    """A dry run says the same and changes nothing, not even a missing table."""
    stigmem("export", "--out", "c.json")
    stored.database.run("DROP TABLE replication_cursors")
    finished = stigmem("import", "--dry-run", "c.json")
    assert finished.returncode == 0
    assert finished.stderr == (
        "info: the table replication_cursors is missing: it would be created again\n"
        "dry run, nothing was changed: 2 would be restored, 0 skipped (peer not found), "
        "0 skipped (already set)\n"
    )
    with pytest.raises(Exception, match="replication_cursors"):
        stored.database.cursors()


def test_all_or_nothing(empty_node: StoredNode, stigmem: Stigmem) -> None:
    """When the database refuses the last of many rows, none of them is there."""
    names = [f"node-{number:04}" for number in range(1200)]
    empty_node.database.add_peers(names)
    entries = [entry(name) for name in names]
    entries[-1]["direction"] = "sideways"
    finished = stigmem("import", "-", given=checkpoint(*entries))
    assert finished.returncode == 1
    assert finished.stderr == (
        f"error: {empty_node.name}: the database refused the cursors (directions: inbound, "
        "sideways); nothing was changed\n"
    )
    assert empty_node.database.cursors() == {}


def test_many(empty_node: StoredNode, stigmem: Stigmem) -> None:
    """More positions than one statement takes come back as they were."""
    names = [f"node-{number:04}" for number in range(1200)]
    empty_node.database.add_peers(names)
    given = checkpoint(*(entry(name, f"{n}.0") for n, name in enumerate(names)))
    assert stigmem("import", "-", given=given).returncode == 0
    document = json.loads(stigmem("export").stdout)
    assert [item["cursor"] for item in document["cursors"]] == [f"{n}.0" for n in range(1200)]


def test_foreign_checkpoint(stored: StoredNode, stigmem: Stigmem) -> None:
    """Another node's checkpoint is refused."""
    given = checkpoint(entry("node-b"), node_id="stigmem://other", format_version=1)
    finished = stigmem("import", "-", "--force", given=given)
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: standard input is the checkpoint of node stigmem://other, and this database is "
        "that of stigmem://node-a; --accept-loss imports it anyway\n"
    )


def test_check(stored: StoredNode, stigmem: Stigmem) -> None:
    """cursor-check shows the same table, and finds the same loss."""
    stigmem("export", "--out", "c.json")
    table = stigmem("check")
    assert (table.returncode, table.stderr) == (0, "")
    assert [re.sub(r"\s+", " ", line) for line in table.stdout.splitlines()] == [
        "PEER DIRECTION POSITION AGE FACTS RE-PULL CATCH-UP",
        _row("stigmem://node-b", "3 30 s 1 s", table.stdout),
        _row("stigmem://node-c", "0 0 s 0 s", table.stdout),
    ]
    stored.database.run("DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'")
    lost = stigmem("check", "--json")
    assert lost.returncode == 1
    assert json.loads(lost.stdout)["database"]["db_path"] == stored.name
    planned = json.loads(stigmem("import", "--dry-run", "--json", "c.json").stdout)
    assert [item["outcome"] for item in planned["cursors"]] == ["restored", "already set"]


def _row(peer: str, cost: str, table: str) -> str:
    age = re.search(r"(\d+ days)", table)
    assert age
    return f"{peer} inbound 2024-09-03T07:45:00Z {age[1]} {cost}"


def test_no_node(empty_node: StoredNode, stigmem: Stigmem) -> None:
    """A database without peers is not a node's, and is not changed."""
    empty_node.database.run(
        "DROP TABLE peers" + (" CASCADE" if empty_node.kind == "postgres" else "")
    )
    for command in (("export",), ("check",), ("import", "-")):
        finished = stigmem(*command, given=checkpoint(entry("node-b")))
        assert finished.returncode == 1
        assert finished.stderr == (
            f"error: {empty_node.name}: no table peers: this is not the database of a stigmem "
            "node, or its migrations have not been applied; apply them with `stigmem migrate "
            "normalize-entities --dry-run`, register the peers again, then import\n"
        )


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
        finished = subprocess.run(
            [BIN / "stigmem-cursor", "import", "-", "--force"],
            input=checkpoint(entry("node-b", "1.0")),
            cwd=tmp_path,
            env=environment_for(BIN, **stored.environment),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        connection.rollback()
        connection.close()
    assert finished.returncode == 1
    assert finished.stderr == (
        f"error: {stored.name} is locked by another process for more than 5 s; stop the node "
        "(runbook, Step 1), then run this again\n"
    )
    assert stored.database.cursors() == positions
