"""Check on whatever database a node has: the same table, the same findings."""

import json
import re

from tests.nodes import StoredNode
from tests.running import Stigmem


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
