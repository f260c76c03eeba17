"""What an export must keep: what raises an alarm, what is marked, what is not replaced."""

from dataclasses import replace
from typing import Any

import pytest

from stigmem_cursor_plugin.core import retention
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.loss import LossKind
from stigmem_cursor_plugin.core.retention import Alarm, Kept
from stigmem_cursor_plugin.core.snapshot import Cursor, Peer, Received, Snapshot
from tests.snapshots import NODE_A, NODE_B, checkpoint_of, entry, peer, snapshot

BEFORE, POSITION, AFTER = "100.0", "200.0", "300.0"
COUNTED = Received(5, "f5")


def test_each_peer_once_from_the_newest() -> None:
    """Of several checkpoints each peer and direction counts once, as the newest holds it."""
    old, new = checkpoint_of(entry(BEFORE), hour=1), checkpoint_of(entry(POSITION), hour=2)
    found = retention.alarm([new, old], snapshot())
    assert [loss.checkpoint for loss in found.losses] == [new]
    assert found.needed == {"2.json"}


def test_emptied() -> None:
    """A database without any position has lost those of peers that it does not know any more."""
    earlier, empty = checkpoint_of(entry(POSITION), hour=1), checkpoint_of(hour=2)
    found = retention.alarm([empty, earlier], snapshot(peers=()))
    assert found
    assert found == Alarm([], earlier)
    assert found.needed == {"1.json"}
    other = Peer("c", "stigmem://node-c", "", "active")
    there = {("c", "inbound"): Cursor("c", "inbound", POSITION, "t")}
    assert not retention.alarm([earlier], replace(snapshot(peers=(other,)), cursors=there))


def test_no_alarm() -> None:
    """Nothing earlier, or nothing lost since, is no alarm."""
    assert not retention.alarm([], snapshot())
    assert not retention.alarm(
        [checkpoint_of(entry(POSITION, COUNTED))], snapshot(position=POSITION, held=5)
    )
    assert retention.alarm([], snapshot()).needed == set()


@pytest.mark.parametrize(
    ("database", "every"),
    [
        (snapshot(table=False), True),
        (snapshot(held=1), True),
        (snapshot(held=1, position=POSITION), False),
        (snapshot(), False),
        (snapshot(peers=()), False),
        (snapshot(peers=(peer(status="revoked"),), held=1), False),
    ],
    ids=["no table", "facts", "position", "nothing received", "no peers", "revoked"],
)
def test_every_position_lost(database: Snapshot, every: bool) -> None:
    """Facts of an active peer without any position, or no table, mean that positions were lost."""
    assert retention.alarm([], database).all_lost is every


@pytest.mark.parametrize("forced", [False, True])
def test_every_position_lost_and_no_checkpoint_shows_it(forced: bool) -> None:
    """That is refused, unless an earlier export gave it up, or a checkpoint shows what was lost."""
    without = replace(checkpoint_of(entry(None)), forced=forced)
    assert retention.alarm([without], snapshot(held=1)).is_unexplained is not forced
    assert not retention.alarm([checkpoint_of(entry(POSITION))], snapshot(held=1)).is_unexplained
    assert not retention.alarm([], snapshot()).is_unexplained


@pytest.mark.parametrize(
    ("forced", "after_loss", "settled"),
    [(False, False, True), (False, True, False), (True, True, True), (True, False, True)],
)
def test_settled(forced: bool, after_loss: bool, settled: bool) -> None:
    """A checkpoint needs no earlier one unless it was written after a loss and not forced."""
    checkpoint: Checkpoint = replace(checkpoint_of(), forced=forced, after_loss=after_loss)
    assert checkpoint.settled is settled


def test_marks() -> None:
    """A checkpoint says whether earlier ones are needed, or the loss was accepted."""
    earlier = [checkpoint_of(entry(POSITION, COUNTED))]
    lost, fine = retention.alarm(earlier, snapshot()), retention.alarm([], snapshot())
    unexplained, known = (replace(fine, all_lost=True, given_up=given) for given in (False, True))

    def marks(alarm: Alarm, *, force: bool = False) -> tuple[bool, bool]:
        found = retention.marked(checkpoint_of(), alarm, force=force)
        return found.forced, found.after_loss

    assert marks(lost) == (False, True)
    assert marks(lost, force=True) == (True, False)
    assert marks(fine) == marks(fine, force=True) == (False, False)
    assert marks(known) == marks(unexplained, force=True) == (True, False)
    assert marks(unexplained) == (False, False)
    assert marks(replace(fine, given_up=True)) == (False, False)


def test_no_false_position_is_written() -> None:
    """What export writes after facts were lost holds no position that stands on them."""
    earlier = checkpoint_of(entry(POSITION, COUNTED))
    now = checkpoint_of(entry(AFTER, Received(4, "f4")), hour=13)

    def written(database: Snapshot, *, force: bool = False) -> list[str | None]:
        alarm = retention.alarm([earlier], database)
        found = retention.marked(now, alarm, force=force)
        return [item.cursor for item in found.entries]

    assert written(snapshot(position=AFTER, held=4)) == [None]
    assert written(snapshot(position=AFTER, held=4), force=True) == [AFTER]
    assert written(snapshot(position=BEFORE, held=5)) == [AFTER]


def test_a_false_position_of_a_dismissed_peer() -> None:
    """It raises no alarm, and is not written down: the facts that are left would prove it."""
    given = checkpoint_of(entry(POSITION, COUNTED))
    revoked = snapshot(peers=(peer(status="revoked"),), position=POSITION, held=4)
    alarm = retention.alarm([given], revoked)
    assert not alarm
    written = retention.marked(given, alarm, force=False)
    assert ([one.cursor for one in written.entries], written.after_loss) == ([None], False)
    forced = retention.marked(given, alarm, force=True)
    assert [one.cursor for one in forced.entries] == [POSITION]


def test_a_false_position_is_noted_behind_a_newer_loss() -> None:
    """That it is also behind a newer checkpoint does not make it true."""
    older, newer = checkpoint_of(entry(BEFORE, COUNTED), hour=1), checkpoint_of(entry(POSITION))
    alarm = retention.alarm([newer, older], snapshot(position=BEFORE, held=4))
    assert [loss.kind for loss in alarm.losses] == [LossKind.MOVED_BACK]
    assert alarm.false_positions == {(NODE_B, "inbound")}


def test_compared() -> None:
    """The past back to the newest settled one, and the future; none before a forced one."""
    settled, forced = checkpoint_of(hour=3), replace(checkpoint_of(hour=2), forced=True)
    after_loss, old = replace(checkpoint_of(hour=4), after_loss=True), checkpoint_of(hour=1)
    assert list(retention.compared([after_loss, settled, old], [old])) == [after_loss, settled, old]
    assert list(retention.compared([after_loss, forced, old], [settled])) == [after_loss, forced]
    assert list(retention.compared([settled], [after_loss, forced, old])) == [
        *(settled, after_loss, forced)
    ]


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, None),
        ({"node_id": NODE_A}, None),
        ({"node_id": "stigmem://x"}, Kept.OTHER_NODE),
        ({"undo": True}, Kept.UNDO),
        ({"after_loss": True}, Kept.AFTER_LOSS),
        ({"after_loss": True, "node_id": "stigmem://x"}, Kept.OTHER_NODE),
        ({"forced": True}, None),
    ],
)
def test_what_is_not_replaced(given: dict[str, Any], kept: Kept | None, named: bool) -> None:
    """Another node's, an import's undo, and what says that earlier ones are needed.

    Where export named the file, its directory still has what the last two say.
    """
    expected = kept if not named or kept is Kept.OTHER_NODE else None
    earlier = replace(checkpoint_of(), **given)
    assert retention.why_kept(earlier, NODE_A, named_by_export=named) is expected
