"""What a database has lost since an earlier checkpoint, peer by peer."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from stigmem_cursor_plugin.core import positions, recovery
from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.positions import Move
from stigmem_cursor_plugin.core.recovery import PeerFinder
from stigmem_cursor_plugin.core.snapshot import NodeKey, Peer, Snapshot
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
    def key(self) -> NodeKey:
        """The peer (by node id) and direction."""
        return self.peer.node_id, self.entry.direction


def losses(earlier: Checkpoint, snapshot: Snapshot) -> Iterator[Loss]:
    """Find what an earlier checkpoint holds and the database has lost.

    A peer that was removed, revoked or rejected does not count: it was so on purpose. One that
    waits for approval does: it may have been registered again.
    """
    return (loss for loss in all_losses(earlier, snapshot) if not loss.peer.dismissed)


def all_losses(earlier: Checkpoint, snapshot: Snapshot) -> Iterator[Loss]:
    """Find the same, also for peers that were removed, revoked or rejected."""
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
