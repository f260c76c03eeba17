"""What a checkpoint counts, for whom, so that an import can tell whether the facts are there."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stigmem_cursor_plugin.core import checkpoint
from stigmem_cursor_plugin.core.snapshot import Cursor, Received, Snapshot
from tests.snapshots import NODE_B, snapshot

NOW = datetime(2026, 5, 3, tzinfo=UTC)
WHOLE = Received(9, "x", any_sender=True)


def counted(database: Snapshot) -> Received | None:
    """Return what the checkpoint of a database with one peer counts."""
    (entry,) = checkpoint.build(database, "s.db", NOW).entries
    return entry.received


@pytest.mark.parametrize("held", [0, 5])
def test_facts_of_the_peer(held: int) -> None:
    """A checkpoint counts the facts of each peer, and names the one stored last."""
    database = replace(snapshot(position="200.0", held=held), received_at_all=WHOLE)
    assert counted(database) == Received(held, f"f{held}" if held else None)


def test_facts_of_every_sender() -> None:
    """If facts may have come otherwise than from their peer, the whole table is counted."""
    database = replace(snapshot(position="200.0", held=5), relays=True, received_at_all=WHOLE)
    assert counted(database) == WHOLE
    assert database.received_from(NODE_B) == Received(5, "f5")


def test_no_facts_outbound() -> None:
    """No facts belong to an outbound position."""
    sent = {("b", "outbound"): Cursor("b", "outbound", "200.0", "t")}
    assert counted(replace(snapshot(held=5), cursors=sent)) is None
