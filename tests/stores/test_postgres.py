"""A node on PostgreSQL: its schema, and what can be in the way of reading and writing."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.builders import DONE, checkpoint, entry
from tests.database import NODE_ID, PostgresDatabase
from tests.nodes import StoredNode, Stores
from tests.running import BIN, Run, environment_for
from tools.loopback import wait_for
from tools.postgres import migrate


def test_checkpoint_names_the_database(
    on_postgres: StoredNode, stigmem: Run, tmp_path: Path
) -> None:
    """``db_path`` says where the database is, and no local file appears."""
    finished = stigmem("cursor-export", **on_postgres.environment)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert json.loads(finished.stdout)["db_path"] == on_postgres.name
    assert list(tmp_path.iterdir()) == []


def test_another_schema(on_postgres: StoredNode, stigmem: Run, tmp_path: Path) -> None:
    """The tables of another schema are read, and the dropped one is created there."""
    dsn = on_postgres.environment["STIGMEM_PG_DSN"]
    migrate(dsn, "node_b")
    database = PostgresDatabase(tmp_path, dsn, "node_b")
    database.run("INSERT INTO node_meta (key, value) VALUES ('node_id', ?)", [NODE_ID])
    database.set_cursor(database.add_peer("node-x"), "1725349500000.7")
    variables = {**on_postgres.environment, "STIGMEM_PG_SCHEMA": "node_b"}
    exported = stigmem("cursor-export", "--out", "c.json", **variables)
    assert exported.stderr == "checkpoint written: c.json (1 cursor(s))\n"
    document = json.loads((tmp_path / "c.json").read_text())
    assert document["db_path"] == f"{on_postgres.name}&schema=node_b"
    assert document["cursors"][0]["peer_node_id"] == "stigmem://node-x"

    columns = _shape(database, "node_b")
    on_postgres.database.run("DROP TABLE replication_cursors")
    database.run("DROP TABLE replication_cursors")
    imported = stigmem("cursor-import", "c.json", **variables)
    assert imported.stderr.endswith(DONE.format(1, 0, 0) + "\n")
    assert database.cursors() == {("id-of-node-x", "inbound"): "1725349500000.7"}
    assert _shape(database, "node_b") == columns
    assert _shape(database, "public") == ([], [])


def _shape(database: PostgresDatabase, schema: str) -> tuple[list[object], list[object]]:
    columns = database.run(
        "SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns"
        " WHERE table_schema = ? AND table_name = 'replication_cursors' ORDER BY 1",
        [schema],
    )
    constraints = database.run(
        "SELECT contype, pg_get_constraintdef(c.oid) FROM pg_constraint c"
        " JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace"
        " WHERE n.nspname = ? AND t.relname = 'replication_cursors' AND contype <> 'n'"
        " ORDER BY 1, 2",
        [schema],
    )
    return list(columns), list(constraints)


def test_schema_without_tables(on_postgres: StoredNode, stigmem: Run) -> None:
    """A schema that is not there is no node's, and is not made."""
    variables = {**on_postgres.environment, "STIGMEM_PG_SCHEMA": "nobody"}
    finished = stigmem("cursor-export", **variables)
    assert finished.returncode == 1
    assert finished.stderr.startswith(f"error: {on_postgres.name}&schema=nobody: no table peers: ")
    assert on_postgres.database.run("SELECT 1 FROM pg_namespace WHERE nspname = 'nobody'") == []


def test_reading_needs_no_right_to_write(
    on_postgres: StoredNode, stores: Stores, stigmem: Run
) -> None:
    """A role that may only read can export and check; its import is one error."""
    on_postgres.database.run("CREATE ROLE reader LOGIN")
    on_postgres.database.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    dsn = on_postgres.environment["STIGMEM_PG_DSN"].replace("postgres:@", "reader@")
    variables = {**on_postgres.environment, "STIGMEM_PG_DSN": dsn}
    try:
        assert stigmem("cursor-export", **variables).returncode == 0
        assert stigmem("cursor-check", **variables).returncode == 0
        refused = stigmem("cursor-import", "-", given=checkpoint(entry("node-b")), **variables)
    finally:
        on_postgres.database.run("DROP OWNED BY reader")
        stores.server.run("DROP ROLE reader")
    assert refused.returncode == 1
    assert refused.stderr == f"error: {on_postgres.name}: permission denied for table facts\n"


def test_connection_lost_half_way(on_postgres: StoredNode, tmp_path: Path) -> None:
    """A server that ends the connection in the middle of an import is one error line."""
    positions = on_postgres.database.cursors()
    (tmp_path / "c.json").write_text(checkpoint(entry("node-b", "1.0")))
    holder = on_postgres.database.connect()
    holder.cursor().execute("LOCK TABLE peers IN SHARE MODE")
    process = subprocess.Popen(
        [BIN / "stigmem-cursor", "import", "c.json", "--force"],
        cwd=tmp_path,
        env=environment_for(BIN, **on_postgres.environment),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for("the import to wait for the lock", lambda: bool(on_postgres.database.run(WAITING)))
        on_postgres.database.run(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting")
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()
        holder.close()
    assert process.returncode == 1
    # Which of the two libpq says depends on the moment.
    assert said in (
        f"error: {on_postgres.name}: terminating connection due to administrator command\n",
        f"error: {on_postgres.name}: server closed the connection unexpectedly\n",
    )
    assert on_postgres.database.cursors() == positions


@pytest.mark.slow
def test_killed_half_way(on_postgres: StoredNode, tmp_path: Path) -> None:
    """Killed at any moment, an import has changed everything or nothing."""
    names = [f"peer-{number:05}" for number in range(1_000)]
    on_postgres.database.add_peers(names)
    (tmp_path / "c.json").write_text(checkpoint(*(entry(name, "5.0") for name in names)))
    restored = "FROM replication_cursors WHERE cursor = '5.0'"
    found = set()
    for delay in range(0, 3_000, 150):
        process = subprocess.Popen(
            [BIN / "stigmem-cursor", "import", "c.json"],
            cwd=tmp_path,
            env=environment_for(BIN, **on_postgres.environment),
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay / 1000)
        process.kill()
        process.wait()
        wait_for("the server to notice", lambda: not on_postgres.database.run(OTHERS))
        found.add(on_postgres.database.run(f"SELECT COUNT(*) {restored}")[0][0])
        on_postgres.database.run(f"DELETE {restored}")
    assert found == {0, len(names)}


OTHERS = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
WAITING = (
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND datname = current_database()"
)
