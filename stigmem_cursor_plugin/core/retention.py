"""What an export must neither overwrite nor remove."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.loss import Loss, all_losses
from stigmem_cursor_plugin.core.snapshot import NodeKey, Snapshot


@dataclass(frozen=True, slots=True)
class Alarm:
    """Why the earlier checkpoints are still needed.

    ``emptied`` is an earlier checkpoint with positions where the database has none at all, though
    no peer of it may be known any more. ``false_positions`` are those that must not be trusted,
    also of peers that an operator has dismissed. ``all_lost``: there is no position, though there
    must have been one. ``given_up``: an earlier export was told with ``--force`` to go on.
    """

    losses: Sequence[Loss]
    emptied: Checkpoint | None
    false_positions: frozenset[NodeKey] = frozenset()
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
    found: dict[NodeKey, Loss] = {}
    false = set()
    for loss in (loss for checkpoint in checkpoints for loss in all_losses(checkpoint, snapshot)):
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
    return noted if force or not alarm.false_positions else _without(alarm.false_positions, noted)


def _without(false_positions: Collection[NodeKey], checkpoint: Checkpoint) -> Checkpoint:
    # The entry counts only the facts that are left: an import would take its position for proven.
    return replace(
        checkpoint,
        entries=[
            replace(entry, cursor=None)
            if (entry.peer_node_id, entry.direction) in false_positions
            else entry
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
