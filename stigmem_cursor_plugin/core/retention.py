"""What an export must neither overwrite nor remove."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from stigmem_cursor_plugin.core import positions, recovery
from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.decision import Outcome
from stigmem_cursor_plugin.core.positions import Move
from stigmem_cursor_plugin.core.recovery import PeerFinder
from stigmem_cursor_plugin.core.snapshot import Key, Peer, Snapshot
from stigmem_cursor_plugin.core.witness import examine


class LossKind(Enum):
    """What an earlier checkpoint holds and the database does not."""

    POSITION_GONE = "position gone"
    MOVED_BACK = "moved back"
    FACTS_GONE = "facts gone"
    """The position is there, and facts that it stands for are not."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What the database has lost since an earlier checkpoint, for one peer.

    ``position`` is the one that the database has now; ``missing`` counts the facts that it lacks,
    where they are what is lost. ``is_false``: the position is there, and must not be trusted.
    """

    kind: LossKind
    checkpoint: Checkpoint
    entry: Entry
    peer: Peer
    position: str | None
    missing: int = 0
    is_false: bool = False

    @property
    def key(self) -> Key:
        """The peer (by node id) and direction."""
        return self.peer.node_id, self.entry.direction


def losses(earlier: Checkpoint, snapshot: Snapshot) -> Iterator[Loss]:
    """Find what an earlier checkpoint holds and the database has lost.

    A peer that was removed, revoked or rejected does not count: it was so on purpose. One that
    waits for approval does: it may have been registered again.
    """
    return (loss for loss in _losses(earlier, snapshot) if not loss.peer.dismissed)


def _losses(earlier: Checkpoint, snapshot: Snapshot) -> Iterator[Loss]:
    find = PeerFinder(snapshot.peers).find
    for entry in earlier.entries:
        peer = find(entry)
        if peer is None or not entry.cursor:
            continue
        position = snapshot.position(peer, entry.direction)
        if position is None:
            yield Loss(LossKind.POSITION_GONE, earlier, entry, peer, position)
            continue
        is_false = recovery.stands_on_missing_facts(entry, peer, snapshot)
        if positions.move(entry.cursor, position) is Move.BACK:
            yield Loss(LossKind.MOVED_BACK, earlier, entry, peer, position, 0, is_false)
        elif is_false:
            missing = examine(entry, peer, snapshot).missing
            yield Loss(LossKind.FACTS_GONE, earlier, entry, peer, position, missing, is_false)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Why the earlier checkpoints are still needed.

    ``emptied`` is an earlier checkpoint with positions where the database has none at all, though
    no peer of it may be known any more. ``false`` are the positions that must not be trusted, also
    those of peers that an operator has dismissed. ``all_lost``: there is no position, though there
    must have been one. ``given_up``: an earlier export was told with ``--force`` to go on.
    """

    losses: Sequence[Loss]
    emptied: Checkpoint | None
    false: frozenset[Key] = frozenset()
    all_lost: bool = False
    given_up: bool = False

    def __bool__(self) -> bool:
        """Tell whether there is one."""
        return bool(self.losses or self.emptied)

    @property
    def is_unexplained(self) -> bool:
        """Every position is lost, no earlier checkpoint shows it, and nobody has given it up."""
        return self.all_lost and not self and not self.given_up

    @property
    def needed(self) -> frozenset[str]:
        """The names of the checkpoints that hold what was lost."""
        emptied = [self.emptied.name] if self.emptied else []
        return frozenset([*(loss.checkpoint.name for loss in self.losses), *emptied])


def compared(past: Iterable[Checkpoint], future: Iterable[Checkpoint]) -> Iterator[Checkpoint]:
    """Yield the checkpoints of a directory that a database must be compared with.

    Of *past*, those back to the newest that was written without a loss; then those dated in the
    *future*, which may be newer still. A checkpoint of ``--force`` ends both: what was lost before
    it was given up. Both come newest first, and no more are taken, so no more files are read.
    """
    for checkpoint in past:
        yield checkpoint
        if checkpoint.forced:
            return
        if checkpoint.settled:
            break
    for checkpoint in future:
        yield checkpoint
        if checkpoint.forced:
            return


def alarm(checkpoints: Sequence[Checkpoint], snapshot: Snapshot) -> Alarm:
    """Return what was lost since any of these checkpoints, which come newest first.

    Each peer and direction counts once.
    """
    found: dict[Key, Loss] = {}
    false = set()
    for loss in (loss for checkpoint in checkpoints for loss in _losses(checkpoint, snapshot)):
        if loss.is_false:
            false.add(loss.key)
        if not loss.peer.dismissed:
            found.setdefault(loss.key, loss)
    emptied = None
    if not snapshot.position_count:
        emptied = next((earlier for earlier in checkpoints if earlier.position_count), None)
    return Alarm(
        list(found.values()),
        emptied,
        frozenset(false),
        all_lost=_has_lost_every_position(snapshot),
        given_up=any(checkpoint.forced for checkpoint in checkpoints),
    )


def marked(checkpoint: Checkpoint, alarm: Alarm, *, force: bool) -> Checkpoint:
    """Return *checkpoint* with what later exports must know of a loss.

    If every position is lost and that was given up, now or before, each checkpoint says so again
    while nothing has come back.
    """
    still_given_up = alarm.all_lost and (force or alarm.given_up)
    forced = (bool(alarm) and force) or still_given_up
    noted = replace(checkpoint, forced=forced, after_loss=bool(alarm) and not force)
    return noted if force or not alarm.false else _without(alarm.false, noted)


def _without(false: Collection[Key], checkpoint: Checkpoint) -> Checkpoint:
    # The entry counts only the facts that are left: an import would take its position for proven.
    return replace(
        checkpoint,
        entries=[
            replace(entry, cursor=None) if (entry.peer_node_id, entry.direction) in false else entry
            for entry in checkpoint.entries
        ],
    )


def _has_lost_every_position(snapshot: Snapshot) -> bool:
    """Tell whether there is no position, though there must have been one.

    A node that has no peers yet, or received no fact from them, has lost nothing.
    """
    if snapshot.cursors is None:
        return True
    received = any(
        peer.active and snapshot.received_from(peer.node_id).facts for peer in snapshot.peers
    )
    return received and not snapshot.position_count


class Kept(Enum):
    """Why the checkpoint in FILE is not replaced without ``--force``."""

    OTHER_NODE = "other node"
    UNDO = "undo"
    """It holds what an import overwrote, and no other file does."""
    AFTER_LOSS = "after loss"
    """It says that earlier checkpoints are needed, and a new FILE could not."""


def why_kept(earlier: Checkpoint, node_id: str | None, *, named_by_export: bool) -> Kept | None:
    """Return why *earlier* is not replaced by a checkpoint of the node *node_id*, if it is not.

    *named_by_export*: its name counts in its directory, so what it says of a loss is found there.
    """
    if earlier.is_of_another_node(node_id):
        return Kept.OTHER_NODE
    if earlier.undo and not named_by_export:
        return Kept.UNDO
    return Kept.AFTER_LOSS if earlier.after_loss and not named_by_export else None


class Remedy(Enum):
    """What brings back what was lost."""

    IMPORT = "import"
    IMPORT_WITH_FORCE = "import with force"
    """A position is set, and must move."""
    APPROVE = "approve"
    """A peer waits for approval, and cannot be asked before."""
    CATCH_UP = "catch up"
    """No checkpoint can be backed up: the facts have to be fetched."""


def remedies(
    found: Alarm, checkpoints: Sequence[Checkpoint], snapshot: Snapshot, now: datetime
) -> Sequence[Remedy]:
    """Return the commands that bring back what was lost, in their order.

    An import that would restore nothing is not among them, unless no peer is known any more: it
    says which have to register again. If no peer has the facts any more, no command brings them
    back: only giving them up ends the alarm.
    """
    if not found.losses:
        return [Remedy.IMPORT]
    lost = {loss.key: loss.entry.cursor for loss in found.losses}
    decisions = {
        key: decision
        for decision in recovery.plan(checkpoints, snapshot, now, force=True).decisions
        if decision.peer and (key := (decision.peer.node_id, decision.entry.direction)) in lost
    }
    restored = {
        key: decision.entry.cursor if decision.outcome is Outcome.RESTORED else None
        for key, decision in decisions.items()
    }
    steps = []
    if any(decision.moves for decision in decisions.values()):
        steps.append(Remedy.IMPORT_WITH_FORCE)
    elif any(restored[key] and not decision.previous for key, decision in decisions.items()):
        steps.append(Remedy.IMPORT)
    # Import may have only an older position that the database can back up, or none.
    if not steps or any(positions.move(lost[key], restored[key]) is Move.BACK for key in restored):
        steps.append(Remedy.CATCH_UP)
        if any(loss.peer.awaits_approval for loss in found.losses):
            steps.insert(0, Remedy.APPROVE)
    return steps
