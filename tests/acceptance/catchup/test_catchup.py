"""Two real nodes: everything that was lost is fetched, once, and said."""

import jsonschema
import pytest

from stigmem_cursor_plugin.checkpoints import schema
from stigmem_cursor_plugin.reports.formatting import shown
from tests.federation import ANY_AGE, FACTS, Federation, without_seconds

pytestmark = pytest.mark.long


def test_nothing_is_fetched_twice(nodes: Federation) -> None:
    """A second run asks for what comes after the position, and finds nothing."""
    nodes.catch_up()
    finished = nodes.catch_up()
    assert finished.returncode == 0
    assert without_seconds(finished.stderr) == (
        f"{ANY_AGE}"
        f"info: peer stigmem://node-b: caught up to {shown(nodes.a.cursor(nodes.b))}, "
        "0 fact(s) fetched, 0 already held\n"
        "catch-up complete: 1 peer(s), 0 fact(s) fetched, 0 already held, in N s\n"
    )
    assert nodes.check_position() == FACTS


def test_facts_without_their_position(nodes: Federation) -> None:
    """Where only the position was lost, every fact is found there and stored once."""
    nodes.catch_up()
    nodes.a.query("DROP TABLE replication_cursors")
    finished = nodes.catch_up()
    assert finished.returncode == 0
    lines = without_seconds(finished.stderr).splitlines()
    assert lines[0] == "info: the table replication_cursors is missing: creating it again"
    assert lines[-1] == ("catch-up complete: 1 peer(s), 0 fact(s) fetched, 24 already held, in N s")
    assert nodes.check_position() == FACTS


def test_document(nodes: Federation) -> None:
    """The document is that of the published schema, and says what was done."""
    document = nodes.document(nodes.b.node_id)
    jsonschema.validate(document, schema.load("cursor-catchup-result.schema.json"))
    (peer,) = document["peers"]
    assert document["ending"] == "complete"
    assert peer["caught_up"]
    assert peer["facts_fetched"] == FACTS
    assert peer["previous"] is None
    assert peer["cursor"] == nodes.a.cursor(nodes.b)


@pytest.mark.parametrize("name", ["stigmem://node-z", "no-such-id"])
def test_unknown_peer(nodes: Federation, name: str) -> None:
    """A peer that the database does not know is an error, before anything is fetched."""
    finished = nodes.catch_up(name)
    assert finished.returncode == 1
    assert finished.stderr == f"error: no peer {name} in this database\n"
    assert nodes.a.facts_from(nodes.b) == set()


def test_peer_that_waits_for_approval(nodes: Federation) -> None:
    """It cannot be asked: what is missing from it is told, and the catch-up is not complete."""
    nodes.a.query("UPDATE peers SET status = 'pending_approval'")
    finished = nodes.catch_up()
    assert finished.returncode == 3
    assert (
        "warning: peer stigmem://node-b: not caught up: it is pending_approval now; the node does "
        "not pull from it before you approve it\n" in finished.stderr
    )
    assert "catch-up incomplete: 0 of 1 peer(s) caught up" in finished.stderr


def test_peer_that_was_revoked(nodes: Federation) -> None:
    """A peer that the node does not pull from is an error when named, and else left alone."""
    nodes.a.query("UPDATE peers SET status = 'revoked'")
    named = nodes.catch_up(nodes.b.node_id)
    assert named.returncode == 1
    assert named.stderr == (
        "error: peer stigmem://node-b is revoked; the node does not pull from it\n"
    )
    everyone = nodes.catch_up()
    assert everyone.returncode == 0
    assert "0 peer(s)" in everyone.stderr


def test_running_node(nodes: Federation) -> None:
    """While the node runs, catching up is refused as import is."""
    nodes.a.start()
    try:
        finished = nodes.catch_up()
    finally:
        nodes.a.stop()
    assert finished.returncode == 1
    assert finished.stderr == (
        f"error: node {nodes.a.node_id} is running at 127.0.0.1:{nodes.a.port}; stop the node, "
        "then run this again\n"
    )


def test_not_a_nodes_environment(nodes: Federation) -> None:
    """Without the node's environment it says so, where the node itself would not pull."""
    off = nodes.catch_up(STIGMEM_FEDERATION_ENABLED="false")
    assert off.returncode == 1
    assert off.stderr == (
        "error: STIGMEM_FEDERATION_ENABLED is not true: with these settings the node pulls from "
        "nobody; run this with the environment of the node\n"
    )
    assert nodes.a.facts_from(nodes.b) == set()
