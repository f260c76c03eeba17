"""Facts that a relay serves, of a node that does not answer now, on real nodes."""

from pathlib import Path

import pytest

from tests.federation import without_seconds
from tools.loopback import Node, caught_up, relaying_nodes, wait_for
from tools.stories import lose_the_facts, stigmem

pytestmark = pytest.mark.slow


def lose(a: Node) -> None:
    """Lose all facts of node a, its positions, and all that it knew of node b."""
    lose_the_facts(a, a)
    for statement in (
        "DELETE FROM federation_manifests WHERE entity_uri NOT IN (SELECT entity_uri FROM peers"
        " WHERE node_id = 'stigmem://node-c')",
        "DELETE FROM peers WHERE node_id = 'stigmem://node-b'",
    ):
        a.query(statement)


def test_origin_that_does_not_answer(tmp_path: Path) -> None:
    """Catch-up stops before such a fact; the next run has all, or goes past it when told to."""
    with relaying_nodes(tmp_path) as (a, b, c):
        b.post_facts(["one", "two"])
        wait_for("the relay to catch up", lambda: caught_up(c, b))
        c.post_facts(["own"])
        for node in (a, b):
            node.stop()
        lose(a)

        stopped = stigmem(a, True, "cursor-catchup")
        assert stopped.returncode == 3
        assert without_seconds(stopped.stderr).splitlines()[1:] == [
            f"warning: peer stigmem://node-c: not caught up: stopped at fact {first_of(b, c)}: "
            "Pull from stigmem://node-c: skip fact (origin_unresolvable): relayed origin "
            f"'stigmem://node-b' ('{b.url}') is unanchored and unreachable; --skip-refused goes "
            "on past it",
            "catch-up incomplete: 0 of 1 peer(s) caught up, 0 fact(s) fetched, 0 already held, in "
            "N s",
        ]
        assert a.cursor(c) is None

        b.start()
        assert stigmem(a, True, "cursor-catchup").returncode == 0
        assert a.facts_from(c) == b.own_facts() | c.own_facts()

        b.stop()
        lose(a)
        told = stigmem(a, True, "cursor-catchup", "--skip-refused")
        assert told.returncode == 0
        assert "1 fact(s) fetched, 0 already held, 2 rejected" in told.stderr
        assert a.facts_from(c) == c.own_facts()


def test_relay_that_is_not_trusted_now(tmp_path: Path) -> None:
    """Registered again, a relay is not trusted: catch-up stops until somebody says that it is."""
    with relaying_nodes(tmp_path) as (a, b, c):
        b.post_facts(["one", "two"])
        wait_for("the relay to catch up", lambda: caught_up(c, b))
        a.stop()
        lose_the_facts(a, a)
        trust = "UPDATE peers SET relay_trusted = ? WHERE node_id = 'stigmem://node-c'"
        a.query(trust, [0])
        a.query("UPDATE peers SET status = 'revoked' WHERE node_id = 'stigmem://node-b'")
        stopped = stigmem(a, True, "cursor-catchup")
        assert stopped.returncode == 3
        assert "(relay_sender_not_trusted); --skip-refused goes on past it" in stopped.stderr
        assert a.cursor(c) is None

        a.query(trust, [1])
        assert stigmem(a, True, "cursor-catchup").returncode == 0
        assert a.facts_from(c) >= b.own_facts()


def first_of(origin: Node, relay: Node) -> str:
    """Return the id of the first fact of *origin* that *relay* serves."""
    query = "SELECT id FROM facts WHERE received_from = ? ORDER BY hlc LIMIT 1"
    return str(relay.query(query, [origin.node_id])[0][0])
