"""A node on PostgreSQL: its settings, its schema, its secrets, and what can be in the way."""

import json
import subprocess
import time
from pathlib import Path

import pytest
from stigmem_node.settings import Settings
from stigmem_node.storage import make_backend

from stigmem_cursor_plugin.stores.postgres import PostgresStore
from tests.builders import DONE, checkpoint, entry
from tests.database import NODE_ID, PostgresDatabase
from tests.nodes import SETTINGS, StoredNode, Stores
from tests.running import BIN, Finished, Run, environment_for, run_in, without
from tools.hosts import RELEASES, environment, pip
from tools.loopback import wait_for
from tools.postgres import migrate

POSTGRES = SETTINGS["postgres"]
SECRET = "s3cret"  # noqa: S105  not one


@pytest.fixture
def node(stores: Stores, tmp_path: Path) -> StoredNode:
    """A node on PostgreSQL with one peer and its position."""
    made = stores.on_postgres(tmp_path)
    made.database.set_cursor(made.database.add_peer("node-b"), "1725349500000.005")
    return made


def test_checkpoint_names_the_database(node: StoredNode, stigmem: Run, tmp_path: Path) -> None:
    """``db_path`` says where the database is, and no local file appears."""
    finished = stigmem("cursor-export", **node.environment)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert json.loads(finished.stdout)["db_path"] == node.name
    assert list(tmp_path.iterdir()) == []


SERVER = "postgresql://u:s3cret@db.example:6543/stigmem?sslmode=require"
OTHER = "host=other dbname=elsewhere user=u password=s3cret"
RESOLVED = {
    "its own": ({"STIGMEM_PG_DSN": SERVER}, "postgresql://db.example:6543/stigmem"),
    "alias": ({"STIGMEM_DATABASE_URL": SERVER}, "postgresql://db.example:6543/stigmem"),
    "convention": ({"DATABASE_URL": OTHER}, "postgresql://other/elsewhere"),
    "first": (
        {"STIGMEM_PG_DSN": SERVER, "STIGMEM_DATABASE_URL": OTHER, "DATABASE_URL": OTHER},
        "postgresql://db.example:6543/stigmem",
    ),
    "second": (
        {"STIGMEM_DATABASE_URL": SERVER, "DATABASE_URL": OTHER},
        "postgresql://db.example:6543/stigmem",
    ),
    "schema": (
        {"STIGMEM_PG_DSN": SERVER, "STIGMEM_PG_SCHEMA": "node_b"},
        "postgresql://db.example:6543/stigmem?schema=node_b",
    ),
    "empty schema": (
        {"STIGMEM_PG_DSN": SERVER, "STIGMEM_PG_SCHEMA": ""},
        "postgresql://db.example:6543/stigmem",
    ),
    "socket": (
        {"STIGMEM_PG_DSN": "postgresql:///stigmem?host=/run/postgresql&port=6543"},
        "postgresql://:6543/stigmem?host=/run/postgresql",
    ),
}


@pytest.mark.parametrize(("variables", "name"), RESOLVED.values(), ids=RESOLVED)
def test_settings(
    variables: dict[str, str], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server and the schema are those that the host's own backend has."""
    monkeypatch.chdir(tmp_path)
    for setting, value in {**POSTGRES, **variables}.items():
        monkeypatch.setenv(setting, value)
    assert PostgresStore().name == name
    host = make_backend(_settings=Settings())
    named = host._dsn, host._schema
    monkeypatch.setenv("STIGMEM_PG_DSN", named[0])
    monkeypatch.setenv("STIGMEM_PG_SCHEMA", named[1])
    assert PostgresStore().name == name


def test_settings_from_a_file(node: StoredNode, stigmem: Run, tmp_path: Path) -> None:
    """``.env`` names the server too."""
    lines = [f"{name}={value}" for name, value in node.environment.items()]
    (tmp_path / ".env").write_text("\n".join(lines))
    assert stigmem("cursor-export", "--out", "c.json").stderr == (
        "checkpoint written: c.json (1 cursor(s))\n"
    )


UNUSABLE = {
    "no port": f"postgresql://u:{SECRET}@127.0.0.1:1/stigmem",
    "no host": f"host=127.0.0.1 port=1 dbname=stigmem user=u password={SECRET}",
    "at sign": f"postgresql://u:{SECRET}@{SECRET}@127.0.0.1:1/stigmem",
    "slash": f"postgresql://u:{SECRET}/x@127.0.0.1:1/stigmem",
    "question mark": f"postgresql://u:{SECRET}?x@127.0.0.1:1/stigmem",
    "percent": f"postgresql://u:{SECRET}%zz@127.0.0.1:1/stigmem",
    "bracket": f"postgresql://u:x@[{SECRET}:1/stigmem",
    "space": f"host=127.0.0.1 port=1 password=a {SECRET} user=u",
    "quote": f"host=127.0.0.1 port=1 password='{SECRET} user=u",
    "other scheme": f"mysql://u:{SECRET}@127.0.0.1:1/stigmem",
    "no scheme": f"u:{SECRET}@127.0.0.1:1/stigmem",
    "colon": f"postgresql://u:x:{SECRET}@127.0.0.1:1/stigmem",
    "in the query": f"postgresql://127.0.0.1:1/stigmem?user=u&password={SECRET}",
    "unknown option": f"postgresql://u:{SECRET}@127.0.0.1:1/stigmem?{SECRET}=1",
}


@pytest.mark.parametrize("setting", ["STIGMEM_PG_DSN", "DATABASE_URL"])
@pytest.mark.parametrize("dsn", UNUSABLE.values(), ids=UNUSABLE)
def test_no_connection(run: Run, tmp_path: Path, dsn: str, setting: str) -> None:
    """Without a connection one line names the setting, not the password; no file appears."""
    finished = run("stigmem-cursor", "export", **POSTGRES, **{setting: dsn})
    assert (finished.returncode, finished.stdout) == (1, "")
    assert len(finished.stderr.splitlines()) == 1
    assert finished.stderr.startswith("error: ")
    assert setting in finished.stderr
    assert SECRET not in finished.stderr
    assert list(tmp_path.iterdir()) == []


def test_unreachable(run: Run) -> None:
    """A server that is not there is said, with what the driver says of it."""
    finished = run("stigmem-cursor", "check", **POSTGRES, STIGMEM_PG_DSN=UNUSABLE["no port"])
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: cannot connect to postgresql://127.0.0.1:1/stigmem (STIGMEM_PG_DSN): connection "
        'to server at "127.0.0.1", port 1 failed: Connection refused\n'
    )


def test_no_server_named(run: Run, tmp_path: Path) -> None:
    """Without a server in the settings the error names those that can."""
    finished = run("stigmem-cursor", "export", **POSTGRES)
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: the storage backend 'postgres' needs a server; name it in STIGMEM_PG_DSN, "
        "STIGMEM_DATABASE_URL or DATABASE_URL\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_schema_that_is_none(run: Run, node: StoredNode) -> None:
    """A schema name that the host does not take is one error line that names the setting."""
    finished = run(
        "stigmem-cursor", "export", **{**node.environment, "STIGMEM_PG_SCHEMA": "Not-One"}
    )
    assert finished.returncode == 1
    assert finished.stderr.startswith(
        f"error: cannot use {node.name}&schema=Not-One (STIGMEM_PG_SCHEMA): "
    )


def test_wrong_password(node: StoredNode, stores: Stores, run: Run, tmp_path: Path) -> None:
    """A refused password is said without it; a right one is nowhere either."""
    rules = stores.server.data / "pg_hba.conf"
    before = rules.read_text()
    stores.server.run(f"CREATE ROLE checked LOGIN SUPERUSER PASSWORD '{SECRET}'")
    rules.write_text(f"local all checked scram-sha-256\n{before}")
    stores.server.run("SELECT pg_reload_conf()")
    try:
        dsn = node.environment["STIGMEM_PG_DSN"]
        right = dsn.replace("postgres:@", f"checked:{SECRET}@")
        taken = run("stigmem-cursor", "export", **{**node.environment, "STIGMEM_PG_DSN": right})
        wrong = right.replace(SECRET, "Wr0ng")
        refused = run("stigmem-cursor", "export", **{**node.environment, "STIGMEM_PG_DSN": wrong})
    finally:
        rules.write_text(before)
        stores.server.run("SELECT pg_reload_conf()")
        stores.server.run("DROP ROLE checked")
    assert (taken.returncode, taken.stderr) == (0, "")
    assert json.loads(taken.stdout)["db_path"] == node.name
    assert SECRET not in taken.stdout
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: cannot connect to {node.name} (STIGMEM_PG_DSN): ")
    assert 'password authentication failed for user "checked"' in refused.stderr
    assert "Wr0ng" not in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_another_schema(node: StoredNode, stigmem: Run, tmp_path: Path) -> None:
    """The tables of another schema are read, and the dropped one is created there."""
    dsn = node.environment["STIGMEM_PG_DSN"]
    migrate(dsn, "node_b")
    database = PostgresDatabase(tmp_path, dsn, "node_b")
    database.run("INSERT INTO node_meta (key, value) VALUES ('node_id', ?)", [NODE_ID])
    database.set_cursor(database.add_peer("node-x"), "1725349500000.7")
    variables = {**node.environment, "STIGMEM_PG_SCHEMA": "node_b"}
    exported = stigmem("cursor-export", "--out", "c.json", **variables)
    assert exported.stderr == "checkpoint written: c.json (1 cursor(s))\n"
    document = json.loads((tmp_path / "c.json").read_text())
    assert document["db_path"] == f"{node.name}&schema=node_b"
    assert document["cursors"][0]["peer_node_id"] == "stigmem://node-x"

    columns = _shape(database, "node_b")
    node.database.run("DROP TABLE replication_cursors")
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


def test_schema_without_tables(node: StoredNode, stigmem: Run) -> None:
    """A schema that is not there is no node's, and is not made."""
    variables = {**node.environment, "STIGMEM_PG_SCHEMA": "nobody"}
    finished = stigmem("cursor-export", **variables)
    assert finished.returncode == 1
    assert finished.stderr.startswith(f"error: {node.name}&schema=nobody: no table peers: ")
    assert node.database.run("SELECT 1 FROM pg_namespace WHERE nspname = 'nobody'") == []


def test_reading_needs_no_right_to_write(node: StoredNode, stores: Stores, stigmem: Run) -> None:
    """A role that may only read can export and check; its import is one error."""
    node.database.run("CREATE ROLE reader LOGIN")
    node.database.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    dsn = node.environment["STIGMEM_PG_DSN"].replace("postgres:@", "reader@")
    variables = {**node.environment, "STIGMEM_PG_DSN": dsn}
    try:
        assert stigmem("cursor-export", **variables).returncode == 0
        assert stigmem("cursor-check", **variables).returncode == 0
        refused = stigmem("cursor-import", "-", given=checkpoint(entry("node-b")), **variables)
    finally:
        node.database.run("DROP OWNED BY reader")
        stores.server.run("DROP ROLE reader")
    assert refused.returncode == 1
    assert refused.stderr == f"error: {node.name}: permission denied for table facts\n"


def test_connection_lost_half_way(node: StoredNode, tmp_path: Path) -> None:
    """A server that ends the connection in the middle of an import is one error line."""
    positions = node.database.cursors()
    (tmp_path / "c.json").write_text(checkpoint(entry("node-b", "1.0")))
    holder = node.database.connect()
    holder.cursor().execute("LOCK TABLE peers IN SHARE MODE")
    process = subprocess.Popen(
        [BIN / "stigmem-cursor", "import", "c.json", "--force"],
        cwd=tmp_path,
        env=environment_for(BIN, **node.environment),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for("the import to wait for the lock", lambda: bool(node.database.run(WAITING)))
        node.database.run(f"SELECT pg_terminate_backend(pid) FROM ({WAITING}) AS waiting")
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()
        holder.close()
    assert process.returncode == 1
    # Which of the two libpq says depends on the moment.
    assert said in (
        f"error: {node.name}: terminating connection due to administrator command\n",
        f"error: {node.name}: server closed the connection unexpectedly\n",
    )
    assert node.database.cursors() == positions


@pytest.mark.slow
def test_killed_half_way(node: StoredNode, tmp_path: Path) -> None:
    """Killed at any moment, an import has changed everything or nothing."""
    names = [f"peer-{number:05}" for number in range(1_000)]
    node.database.add_peers(names)
    (tmp_path / "c.json").write_text(checkpoint(*(entry(name, "5.0") for name in names)))
    restored = "FROM replication_cursors WHERE cursor = '5.0'"
    found = set()
    for delay in range(0, 3_000, 150):
        process = subprocess.Popen(
            [BIN / "stigmem-cursor", "import", "c.json"],
            cwd=tmp_path,
            env=environment_for(BIN, **node.environment),
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay / 1000)
        process.kill()
        process.wait()
        wait_for("the server to notice", lambda: not node.database.run(OTHERS))
        found.add(node.database.run(f"SELECT COUNT(*) {restored}")[0][0])
        node.database.run(f"DELETE {restored}")
    assert found == {0, len(names)}


OTHERS = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
WAITING = (
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND datname = current_database()"
)


@pytest.mark.parametrize(
    ("variables", "module"),
    [
        ({**POSTGRES, "STIGMEM_PG_DSN": UNUSABLE["no port"]}, "psycopg2"),
        (SETTINGS["libsql"], "libsql-experimental"),
        (SETTINGS["sqlcipher"], "sqlcipher3"),
    ],
    ids=["postgres", "libsql", "sqlcipher"],
)
def test_driver_not_installed(
    variables: dict[str, str], module: str, wheel: Path, tmp_path: Path
) -> None:
    """On a host without the extra, one line names what to install, and no file appears."""
    given = {"stigmem.db"} if module != "psycopg2" else set()
    for name in given:
        (tmp_path / name).write_bytes(b"no header of SQLite's")
    with environment(RELEASES[-1]) as host:
        pip(host / "bin" / "python", "install", str(wheel))
        finished: Finished = run_in(
            tmp_path, ("stigmem-cursor", "export"), None, variables, host / "bin"
        )
    assert (finished.returncode, finished.stdout) == (1, "")
    assert len(finished.stderr.splitlines()) == 1
    assert module in finished.stderr
    assert f"install 'stigmem-node[{_extra(module)}]'" in finished.stderr
    assert {path.name for path in tmp_path.iterdir()} == given


def _extra(module: str) -> str:
    return {"psycopg2": "postgres", "libsql-experimental": "libsql", "sqlcipher3": "sqlcipher"}[
        module
    ]


@pytest.mark.parametrize("backend", ["postgres", "libsql"])
def test_host_without_backends(run: Run, tmp_path: Path, backend: str) -> None:
    """A host without storage backends is said; none was ever released, so it is taken away here."""
    (tmp_path / "stigmem.db").write_bytes(b"a file")
    finished = run(
        *without("stigmem_node.storage", "export"),
        STIGMEM_STORAGE_BACKEND=backend,
        STIGMEM_PG_DSN=UNUSABLE["no port"],
    )
    assert finished.returncode == 1
    assert f"has no storage backend '{backend}'" in finished.stderr
    assert finished.stderr.endswith(f"install a newer 'stigmem-node[{backend}]'\n")
    assert [path.name for path in tmp_path.iterdir()] == ["stigmem.db"]


def test_without_a_host(run: Run, tmp_path: Path) -> None:
    """Where stigmem-node is not installed the error says what to install."""
    finished = run(
        *without("stigmem_node.settings", "export"),
        **POSTGRES,
    )
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: the storage backend 'postgres' (STIGMEM_STORAGE_BACKEND) needs stigmem-node, "
        "which is not installed here; install 'stigmem-node[postgres]'\n"
    )
    assert list(tmp_path.iterdir()) == []
