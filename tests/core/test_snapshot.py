"""What is asked of a snapshot."""

from dataclasses import replace

import pytest

from stigmem_cursor_plugin.core.snapshot import Cursor, Receipt, Received, Snapshot
from tests.snapshots import NODE_B, peer, snapshot


@pytest.mark.parametrize(
    ("database", "position", "number"),
    [
        (snapshot(position="200.0"), "200.0", 1),
        (snapshot(position="200.0", peers=(peer(), peer("c"))), "200.0", 2),
        (snapshot(), None, 0),
        (snapshot(table=False), None, 0),
        (replace(snapshot(), cursors={}), None, 0),
    ],
)
def test_positions(database: Snapshot, position: str | None, number: int) -> None:
    """A row without a position, no row and no table are no position."""
    assert database.position(peer(), "inbound") == position
    assert database.position(peer(), "outbound") is None
    assert database.position_count == number


def test_facts_of_a_node() -> None:
    """From a node that sent nothing, nothing was received."""
    assert snapshot(held=5).received_from(NODE_B) == Received(5, "f5")
    assert snapshot(held=5).received_from("stigmem://other") == Received(0, None)


@pytest.mark.parametrize(("status", "active"), [("active", True), ("zombie", False), ("a", False)])
def test_active_peer(status: str, active: bool) -> None:
    """The node pulls from a peer of one status alone."""
    assert peer(status=status).active is active


def test_what_tells_rows_and_questions_apart() -> None:
    """A row has a peer and a direction, a receipt a node and the end of its span."""
    assert Cursor("b", "inbound", None, "t").key == ("b", "inbound")
    assert Receipt(NODE_B, "1", "3") == Receipt(NODE_B, "2", "3") != Receipt(NODE_B, "2", "4")
