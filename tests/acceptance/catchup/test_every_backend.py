"""The same on every database that a node can have: fetched once, whole pages, refused facts."""

import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.database import Database, PostgresDatabase
from tests.federation import FACTS, PAGE, Federation, federation
from tests.hostile_peer import Ask, HostilePeer, Reply, hostile_peer
from tests.nodes import SETTINGS, STORES, Stores, in_file
from tests.running import BIN

pytestmark = pytest.mark.slow

FUTURE = f"{int(time.time() * 1000) + 3_600_000}.0"


@dataclass
class StoredFederation:
    """Two nodes, and the database of the first, whatever it is."""

    nodes: Federation
    peer: HostilePeer
    database: Database

    def held(self) -> list[str]:
        """Return the ids of the facts that came from node b."""
        rows = self.database.run(
            "SELECT id FROM facts WHERE received_from = ?", [self.nodes.b.node_id]
        )
        return [row[0] for row in rows]

    def position(self) -> str | None:
        """Return the position of node b."""
        rows = self.database.run("SELECT cursor FROM replication_cursors")
        return rows[0][0] if rows else None

    def offered(self) -> set[str]:
        """Return the ids of the facts that node b offers up to that position."""
        rows = self.nodes.b.query(
            "SELECT id FROM facts WHERE received_from IS NULL AND entity LIKE 'demo:%'"
            " AND hlc <= ?",
            [self.position() or ""],
        )
        return {row[0] for row in rows}


@pytest.fixture(params=STORES)
def stored(
    request: pytest.FixtureRequest, stores: Stores, tmp_path: Path
) -> Iterator[StoredFederation]:
    """Two nodes, the first on a database of each kind; the second's last fact is refused."""
    kind: str = request.param
    settings = dict(SETTINGS[kind])
    if kind == "postgres":
        settings["STIGMEM_PG_DSN"] = stores.server.dsn(stores.server.new_database())
    with (
        federation(tmp_path, FACTS, **settings) as nodes,
        hostile_peer(nodes.b.url, PAGE) as peer,
    ):
        nodes.b.add_facts(
            [{"entity": "demo:future", "value_v": "x", "hlc": FUTURE, "id": "future"}]
        )
        database = (
            PostgresDatabase(nodes.a.directory, settings["STIGMEM_PG_DSN"])
            if kind == "postgres"
            else in_file(kind, nodes.a.database)
        )
        database.run("UPDATE peers SET node_url = ?", [peer.url])
        yield StoredFederation(nodes, peer, database)


def test_every_backend(stored: StoredFederation) -> None:
    """Killed, gone on with, stopped at a refused fact and past it: each fact is there once."""
    third_page = threading.Event()

    def tell(number: int, _query: Mapping[str, str], ask: Ask) -> Reply:
        if number == 3:
            third_page.set()
        return ask()

    stored.peer.behave = tell
    process = subprocess.Popen(
        [BIN / "stigmem-cursor", "catchup"],
        cwd=stored.nodes.a.directory,
        env=stored.nodes.a.environment,
        stderr=subprocess.DEVNULL,
    )
    assert third_page.wait(60)
    process.kill()
    process.wait(60)
    assert stored.offered() <= set(stored.held())

    (peer,) = stored.nodes.document()["peers"]
    assert peer["trouble"] == "fact refused"
    assert len(stored.held()) == len(set(stored.held())) == FACTS
    assert stored.offered() == set(stored.held())

    (peer,) = stored.nodes.document("--skip-refused")["peers"]
    assert (peer["caught_up"], peer["facts_fetched"], peer["facts_held"]) == (True, 0, 0)
    assert [fact["fact_id"] for fact in peer["refused"]] == ["future"]
    assert stored.position() == FUTURE

    stored.database.run("DELETE FROM replication_cursors")
    (peer,) = stored.nodes.document("--skip-refused")["peers"]
    assert (peer["facts_fetched"], peer["facts_held"]) == (0, FACTS)
    assert len(stored.held()) == FACTS
    audit = stored.database.run("SELECT fact_id FROM fact_audit_log WHERE fact_id = 'future'")
    assert len(audit) == 3
