"""What an export must neither overwrite nor remove: pure, like ``recovery``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stigmem_cursor_plugin.core import positions
from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.recovery import PeerFinder
from stigmem_cursor_plugin.core.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Loss:
    """A position of an earlier checkpoint that the database has lost or fallen back behind."""

    entry: Entry
    position: str | None

    def __str__(self) -> str:
        """Return the loss in words."""
        who = f"peer {self.entry.peer_node_id} ({self.entry.direction})"
        if self.position is None:
            return f"{who} has no position, {positions.shown(self.entry.cursor)} before"
        before, now = positions.shown(self.entry.cursor), positions.shown(self.position)
        return f"{who} is back at {now}, {before} before"


def losses(earlier: Checkpoint, snapshot: Snapshot) -> Iterator[Loss]:
    """Find the positions of an earlier checkpoint that the database no longer has.

    A peer that the database does not know was removed on purpose. A position that moved on is
    no loss; one that moved back is: the node has begun to fetch everything again.
    """
    find = PeerFinder(snapshot.peers).find
    cursors = snapshot.cursors or {}
    for entry in earlier.entries:
        peer = find(entry)
        if peer is None or not entry.cursor:
            continue
        cursor = cursors.get((peer.id, entry.direction))
        position = cursor.position if cursor else None
        if position != entry.cursor and (position is None or _is_behind(position, entry.cursor)):
            yield Loss(entry, position)


def _is_behind(position: str, earlier: str) -> bool:
    return positions.direction_of_move(earlier, position) == "back"


def newest_losses(newest_first: Sequence[Checkpoint], snapshot: Snapshot) -> Sequence[Loss]:
    """Return what was lost since the newest of several checkpoints, or in any older one.

    A position that has moved back counts against the newest checkpoint only; one that is gone
    counts until it is there again.
    """
    found: dict[tuple[str, str], Loss] = {}
    for number, earlier in enumerate(newest_first):
        for loss in losses(earlier, snapshot):
            if number == 0 or loss.position is None:
                key = (loss.entry.peer_node_id, loss.entry.direction)
                found.setdefault(key, loss)
    return list(found.values())


def expendable(
    oldest_first: Mapping[str, Checkpoint], snapshot: Snapshot, keep: int, written: str
) -> Sequence[str]:
    """Return the names of the checkpoints to remove so that *keep* are left.

    Never the one just *written*, and never the newest that still holds a position which the
    database has lost.
    """
    names = list(oldest_first)
    protected = {written} | _last_holders(oldest_first, snapshot)
    return [name for name in names[: max(0, len(names) - keep)] if name not in protected]


def _last_holders(oldest_first: Mapping[str, Checkpoint], snapshot: Snapshot) -> set[str]:
    holders: dict[tuple[str, str], str] = {}
    for name, taken in oldest_first.items():
        for loss in losses(taken, snapshot):
            if loss.position is None:
                holders[loss.entry.peer_node_id, loss.entry.direction] = name
    return set(holders.values())
