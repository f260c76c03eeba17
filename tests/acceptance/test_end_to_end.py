"""Two real nodes on loopback: what is lost, what is restored, what is fetched again."""

from pathlib import Path

import pytest

from tests.nodes import Stores
from tests.running import Finished, run_in
from tools.loopback import Node, caught_up, two_nodes, wait_for


def stigmem(node: Node, *arguments: str) -> Finished:
    """Run ``stigmem federation`` beside a node."""
    return run_in(
        node.directory, ("stigmem", "federation", *arguments), environment=node.environment
    )


def resume(a: Node, b: Node) -> list[int]:
    """Start node a and return the facts of each pull until its position is the newest."""
    offset = b.log.stat().st_size
    newest = b.query("SELECT MAX(hlc) FROM facts WHERE received_from IS NULL")[0][0]
    a.start()
    wait_for("node a to catch up", lambda: caught_up(a, b) and a.cursor(b) == newest)
    return [facts for facts in b.pulls_served(offset) if facts]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_node_resumes_where_it_was(kind: str, stores: Stores, tmp_path: Path) -> None:
    """After a dropped table and an import the node fetches exactly the facts it missed."""
    settings = stores.on_postgres(tmp_path).environment if kind == "postgres" else {}
    with two_nodes(tmp_path, **settings) as (a, b):
        b.post_facts(f"before-{number}" for number in range(30))
        wait_for("facts to federate", lambda: caught_up(a, b))
        assert stigmem(a, "cursor-export", "--out", "c.json").returncode == 0

        refused = stigmem(a, "cursor-import", "--force", "c.json")
        assert refused.returncode == 1
        assert refused.stderr == (
            f"error: node {a.node_id} is running at 127.0.0.1:{a.port}; stop the node, "
            "then run this again\n"
        )

        a.stop()
        a.query("DROP TABLE replication_cursors")
        b.post_facts(f"after-{number}" for number in range(5))
        imported = stigmem(a, "cursor-import", "c.json")
        assert imported.returncode == 0
        assert imported.stderr == (
            "info: the table replication_cursors is missing: creating it again\n"
            "cursor import complete: 1 restored, 0 skipped (peer not found), "
            "0 skipped (already set)\n"
        )

        assert sum(resume(a, b)) == 5
        assert a.facts_from(b) == b.own_facts()
        assert len(b.own_facts()) == 35
