"""What a database has lost since an earlier checkpoint, and what is no loss."""

from dataclasses import replace

import pytest

from stigmem_cursor_plugin.core.checkpoint import Entry
from stigmem_cursor_plugin.core.loss import Loss, LossKind, losses
from stigmem_cursor_plugin.core.snapshot import Received, Snapshot
from tests.snapshots import NODE_B, checkpoint_of, entry, peer, snapshot

BEFORE, POSITION, AFTER = "100.0", "200.0", "300.0"
COUNTED = Received(5, "f5")


def lost(earlier: Entry, database: Snapshot) -> list[Loss]:
    """Return what was lost since a checkpoint with one entry."""
    return list(losses(checkpoint_of(earlier), database))


@pytest.mark.parametrize(
    ("position", "held", "kind"),
    [
        (None, 5, LossKind.POSITION_GONE),
        (None, 0, LossKind.POSITION_GONE),
        (BEFORE, 5, LossKind.MOVED_BACK),
        (BEFORE, 0, LossKind.MOVED_BACK),
        (POSITION, 4, LossKind.FACTS_GONE),
        (AFTER, 0, LossKind.FACTS_GONE),
        (POSITION, 5, None),
        (AFTER, 9, None),
        ("opaque", 0, None),
    ],
)
def test_kind_of_loss(position: str | None, held: int, kind: LossKind | None) -> None:
    """A position that is gone, that moved back, or that stands on missing facts is a loss."""
    found = lost(entry(POSITION, COUNTED), snapshot(position=position, held=held))
    assert [loss.kind for loss in found] == ([kind] if kind else [])
    if kind is LossKind.FACTS_GONE:
        assert found[0].missing == 5 - held
    if kind is LossKind.MOVED_BACK:
        assert found[0].missing == 0
    if kind:
        assert (found[0].position, found[0].key) == (position, (NODE_B, "inbound"))


@pytest.mark.parametrize(("held", "kinds"), [(4, [LossKind.FACTS_GONE]), (5, [])])
def test_eleventh_fact_of_a_millisecond(held: int, kinds: list[LossKind]) -> None:
    """A peer serves ``.10`` before ``.9``, so a node at ``.9`` never asks for it again."""
    found = lost(entry("200.10", COUNTED), snapshot(position="200.9", held=held))
    assert [loss.kind for loss in found] == kinds


@pytest.mark.parametrize(
    "database",
    [
        snapshot(peers=()),
        *(snapshot(peers=(peer(status=status),)) for status in ("revoked", "rejected")),
    ],
    ids=["removed", "revoked", "rejected"],
)
def test_what_was_done_on_purpose_is_no_loss(database: Snapshot) -> None:
    """A peer that was removed, revoked or rejected is no loss."""
    assert lost(entry(POSITION, COUNTED), database) == []


@pytest.mark.parametrize("status", ["pending_approval", "pending_verification", "active"])
def test_a_peer_on_its_way_has_lost_its_position(status: str) -> None:
    """A peer that waits for approval, being registered again, has not lost it on purpose."""
    (loss,) = lost(entry(POSITION, COUNTED), snapshot(peers=(peer(status=status),)))
    assert loss.kind is LossKind.POSITION_GONE


def test_what_is_no_loss_hides_none() -> None:
    """A loss is found behind entries that are none."""
    removed = Entry("x", "stigmem://x", None, None, "inbound", POSITION, None)
    earlier = checkpoint_of(removed, entry(None), entry(POSITION), removed)
    assert [loss.entry for loss in losses(earlier, snapshot())] == [entry(POSITION)]


def test_an_entry_without_a_position_is_no_loss() -> None:
    """A checkpoint that held no position has lost none."""
    assert lost(entry(None, COUNTED), snapshot()) == []


def test_a_peer_that_was_registered_again_has_lost_its_position() -> None:
    """The loss is the new peer's."""
    (found,) = lost(entry(POSITION), snapshot(peers=(peer("new"),)))
    assert found.peer.id == "new"


def test_every_entry_counts() -> None:
    """A position that is gone hides no loss of another peer."""
    other = replace(entry(POSITION), peer_id="c", peer_node_id="stigmem://node-c")
    peers = (peer("c")._replace(node_id="stigmem://node-c"), peer())
    database = snapshot(peers=peers)
    assert len(list(losses(checkpoint_of(other, entry(POSITION)), database))) == 2
