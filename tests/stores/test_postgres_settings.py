"""The settings that name a PostgreSQL server, and the secrets in them."""

import json
from pathlib import Path

import pytest
from stigmem_node.settings import Settings
from stigmem_node.storage import make_backend

from stigmem_cursor_plugin.stores.postgres import PostgresStore
from tests.nodes import SETTINGS, StoredNode, Stores
from tests.running import Run

POSTGRES = SETTINGS["postgres"]
SECRET = "s3cret"  # noqa: S105  not one
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


def test_settings_from_a_file(on_postgres: StoredNode, stigmem: Run, tmp_path: Path) -> None:
    """``.env`` names the server too."""
    lines = [f"{name}={value}" for name, value in on_postgres.environment.items()]
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


@pytest.mark.parametrize(
    "setting", ["STIGMEM_PG_DSN", pytest.param("DATABASE_URL", marks=pytest.mark.slow)]
)
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


def test_schema_that_is_none(run: Run, on_postgres: StoredNode) -> None:
    """A schema name that the host does not take is one error line that names the setting."""
    finished = run(
        "stigmem-cursor", "export", **{**on_postgres.environment, "STIGMEM_PG_SCHEMA": "Not-One"}
    )
    assert finished.returncode == 1
    assert finished.stderr.startswith(
        f"error: cannot use {on_postgres.name}&schema=Not-One (STIGMEM_PG_SCHEMA): "
    )


def test_wrong_password(on_postgres: StoredNode, stores: Stores, run: Run, tmp_path: Path) -> None:
    """A refused password is said without it; a right one is nowhere either."""
    rules = stores.server.data / "pg_hba.conf"
    before = rules.read_text()
    stores.server.run(f"CREATE ROLE checked LOGIN SUPERUSER PASSWORD '{SECRET}'")
    rules.write_text(f"local all checked scram-sha-256\n{before}")
    stores.server.run("SELECT pg_reload_conf()")
    try:
        dsn = on_postgres.environment["STIGMEM_PG_DSN"]
        right = dsn.replace("postgres:@", f"checked:{SECRET}@")
        exported = run(
            "stigmem-cursor", "export", **{**on_postgres.environment, "STIGMEM_PG_DSN": right}
        )
        wrong = right.replace(SECRET, "Wr0ng")
        refused = run(
            "stigmem-cursor", "export", **{**on_postgres.environment, "STIGMEM_PG_DSN": wrong}
        )
    finally:
        rules.write_text(before)
        stores.server.run("SELECT pg_reload_conf()")
        stores.server.run("DROP ROLE checked")
    assert (exported.returncode, exported.stderr) == (0, "")
    assert json.loads(exported.stdout)["db_path"] == on_postgres.name
    assert SECRET not in exported.stdout
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        f"error: cannot connect to {on_postgres.name} (STIGMEM_PG_DSN): "
    )
    assert 'password authentication failed for user "checked"' in refused.stderr
    assert "Wr0ng" not in refused.stderr
    assert list(tmp_path.iterdir()) == []
