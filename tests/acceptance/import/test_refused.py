"""What ``cursor-import`` refuses, and leaves as it is."""

from pathlib import Path

from tests.builders import checkpoint, entry
from tests.database import Database
from tests.running import Run


def test_validated_before_the_database_is_opened(stigmem: Run, tmp_path: Path) -> None:
    """Every violation is listed with its place, though there is no database at all."""
    given = checkpoint(entry("node-b"), entry("node-c", direction="IN", peer_id=""))
    finished = stigmem("cursor-import", "-", "--db", "none.db", given=given)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        "error: standard input: cursors[1].peer_id: must not be empty\n"
        "error: standard input: cursors[1].direction: must be a lower-case word such as inbound, "
        'not "IN"\n'
    )
    assert list(tmp_path.iterdir()) == []


def test_all_or_nothing(database: Database, stigmem: Run) -> None:
    """When the database refuses one row, none is written."""
    database.add_peer("node-b")
    database.add_facts("node-b", 1)
    before = database.contents()
    given = checkpoint(entry("node-b"), entry("node-b", direction="tombstone_inbound"))
    finished = stigmem("cursor-import", "-", given=given)
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: stigmem.db: the database refused the cursors (directions: inbound, "
        "tombstone_inbound); nothing was changed\n"
    )
    assert database.contents() == before


def test_read_back(database: Database, stigmem: Run) -> None:
    """Rows that are not stored as written fail the import, and nothing is changed."""
    database.add_peer("node-b")
    database.add_facts("node-b", 1)
    database.run(
        "CREATE TRIGGER spoil AFTER INSERT ON replication_cursors BEGIN"
        " UPDATE replication_cursors SET cursor = 'other'; END"
    )
    finished = stigmem("cursor-import", "-", given=checkpoint(entry("node-b")))
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: stigmem.db: the database did not store the cursors as written; nothing was "
        "changed\n"
    )
    assert database.cursors() == {}


def test_missing_database(stigmem: Run, tmp_path: Path) -> None:
    """A database that is not there is refused, and none is created."""
    finished = stigmem("cursor-import", "-", "--db", "typo.db", given=checkpoint(entry("node-b")))
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: no database at typo.db; name the node's with --db or STIGMEM_DB_PATH\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_missing_file(node: Database, stigmem: Run) -> None:
    """A FILE that is not there is one error line."""
    finished = stigmem("cursor-import", "none.json")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: cannot read checkpoint none.json: No such file or directory\n"
    )


def test_no_file_is_a_usage_error(stigmem: Run) -> None:
    """A forgotten FILE is a usage error: exit status 2."""
    finished = stigmem("cursor-import")
    assert finished.returncode == 2
    assert "the following arguments are required: FILE" in finished.stderr


def test_a_directory_of_several_nodes(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """Where the database does not say which node it is of, nobody knows whose checkpoint counts."""
    node.run("UPDATE node_meta SET value = '' WHERE key = 'node_id'")
    (tmp_path / "kept").mkdir()
    for name in ("node-x", "node-a"):
        given = checkpoint(entry("node-b"), node_id=f"stigmem://{name}")
        (tmp_path / "kept" / f"{name}.json").write_text(given)
    for command in ("cursor-import", "cursor-check"):
        database = ("--db", "stigmem.db") if command == "cursor-check" else ()
        finished = stigmem(command, "kept", *database)
        assert finished.returncode == 1
        assert finished.stderr == (
            "error: kept holds the checkpoints of several nodes (stigmem://node-a, "
            "stigmem://node-x), and this database does not say which node it is of; name the file "
            "instead\n"
        )
    assert stigmem("cursor-import", "kept/node-a.json").returncode == 0
