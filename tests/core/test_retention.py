"""What an export must keep: which losses count, what raises an alarm, and what ends it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from stigmem_cursor_plugin.core import retention
from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.retention import Alarm, Kept, Loss, LossKind, Remedy
from stigmem_cursor_plugin.core.snapshot import Cursor, Peer, Received, Snapshot
from tests.snapshots import NODE_A, NODE_B, checkpoint_of, entry, peer, snapshot

NOW = datetime(2026, 5, 3, tzinfo=UTC)
EARLIER, BEFORE, POSITION, AFTER = "50.0", "100.0", "200.0", "300.0"
COUNTED = Received(5, "f5")


def lost(earlier: Entry, database: Snapshot) -> list[Loss]:
    """Return what was lost since a checkpoint with one entry."""
    return list(retention.losses(checkpoint_of(earlier), database))


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
    assert [loss.entry for loss in retention.losses(earlier, snapshot())] == [entry(POSITION)]


def test_an_entry_without_a_position_is_no_loss() -> None:
    """A checkpoint that held no position has lost none."""
    assert lost(entry(None, COUNTED), snapshot()) == []


def test_a_peer_that_was_registered_again_has_lost_its_position() -> None:
    """The loss is the new peer's."""
    (found,) = lost(entry(POSITION), snapshot(peers=(peer("new"),)))
    assert found.peer.id == "new"


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
    ("position", "held", "steps"),
    [
        (None, 5, [Remedy.IMPORT]),
        (None, 4, [Remedy.CATCH_UP]),
        (BEFORE, 5, [Remedy.IMPORT_WITH_FORCE]),
        (BEFORE, 4, [Remedy.CATCH_UP]),
        (POSITION, 4, [Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP]),
    ],
)
def test_remedies(position: str | None, held: int, steps: list[Remedy]) -> None:
    """Import where a checkpoint can be backed up, with --force over a position, else catch up."""
    earlier = [checkpoint_of(entry(POSITION, COUNTED))]
    database = snapshot(position=position, held=held)
    found = retention.alarm(earlier, database)
    assert retention.remedies(found, earlier, database, NOW) == steps


@pytest.mark.parametrize(
    ("position", "steps"),
    [
        (None, [Remedy.IMPORT, Remedy.CATCH_UP]),
        (EARLIER, [Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP]),
        (BEFORE, [Remedy.CATCH_UP]),
        (AFTER, [Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP]),
    ],
)
def test_remedies_where_only_an_older_position_can_be_backed_up(
    position: str | None, steps: list[Remedy]
) -> None:
    """Import goes as far as the facts do; where that ends no alarm, catch-up goes on."""
    backed_up = entry(AFTER if position == AFTER else BEFORE, Received(4, "g4"))
    earlier = [checkpoint_of(entry(POSITION, COUNTED)), checkpoint_of(backed_up)]
    database = snapshot(position=position, held=4)
    database = replace(database, held={**database.held, "g4": NODE_B})
    found = retention.alarm(earlier, database)
    assert retention.remedies(found, earlier, database, NOW) == steps


@pytest.mark.parametrize(
    ("position", "held", "steps"),
    [
        (None, 4, [Remedy.APPROVE, Remedy.CATCH_UP]),
        (POSITION, 4, [Remedy.APPROVE, Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP]),
        (None, 5, [Remedy.IMPORT]),
    ],
)
def test_remedy_of_a_peer_that_waits_for_approval(
    position: str | None, held: int, steps: list[Remedy]
) -> None:
    """It cannot be asked before it is approved; a position can be restored at once."""
    earlier = [checkpoint_of(entry(POSITION, COUNTED))]
    database = snapshot(peers=(peer(status="pending_approval"),), position=position, held=held)
    found = retention.alarm(earlier, database)
    assert retention.remedies(found, earlier, database, NOW) == steps


def test_remedy_where_no_peer_is_known() -> None:
    """Import says which peers to register again."""
    earlier = [checkpoint_of(entry(POSITION))]
    emptied = Alarm([], earlier[0])
    assert retention.remedies(emptied, earlier, snapshot(peers=()), NOW) == [Remedy.IMPORT]


def test_remedies_are_for_what_was_lost() -> None:
    """A peer that has lost nothing asks for no step."""
    fine = Entry("c", "stigmem://node-c", None, None, "inbound", BEFORE, None, Received(9, "g9"))
    earlier = [checkpoint_of(entry(POSITION, COUNTED), fine)]
    peers = (peer(), Peer("c", "stigmem://node-c", "", "active"))
    database = replace(
        snapshot(peers=peers, held=5),
        cursors={("c", "inbound"): Cursor("c", "inbound", AFTER, "t")},
        received={NODE_B: COUNTED, "stigmem://node-c": Received(9, "g9")},
    )
    database = replace(database, held={**database.held, "g9": "stigmem://node-c"})
    found = retention.alarm(earlier, database)
    assert retention.remedies(found, earlier, database, NOW) == [Remedy.IMPORT]


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
    assert alarm.false == {(NODE_B, "inbound")}


def test_every_entry_counts() -> None:
    """A position that is gone hides no loss of another peer."""
    other = replace(entry(POSITION), peer_id="c", peer_node_id="stigmem://node-c")
    peers = (peer("c")._replace(node_id="stigmem://node-c"), peer())
    database = snapshot(peers=peers)
    assert len(list(retention.losses(checkpoint_of(other, entry(POSITION)), database))) == 2


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
