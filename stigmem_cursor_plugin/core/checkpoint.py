"""The checkpoint: what it holds, how it is built from a snapshot, and which is newer."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stigmem_cursor_plugin import __version__
from stigmem_cursor_plugin.core.snapshot import INBOUND, Cursor, Key, Peer, Received, Snapshot
from stigmem_cursor_plugin.core.times import parse_time, rfc3339, rfc3339_of

CLOCKS_DIFFER = timedelta(minutes=1)
"""How far ahead a checkpoint may be dated before a clock must be wrong."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One peer's position in one direction; ``cursor`` is None where there is none."""

    peer_id: str
    peer_node_id: str
    peer_url: str | None
    peer_status: str | None
    direction: str
    cursor: str | None
    updated_at: str | None
    received: Received | None = None

    @property
    def key(self) -> Key:
        """What tells the row that it was made of from the others."""
        return self.peer_id, self.direction


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Every cursor of a node at one time (RFC 3339, UTC).

    ``name`` says where it was read: a file, or ``-`` for standard input. ``forced``: export wrote
    it with ``--force``, and what was lost before it raises no alarm any more. ``after_loss``: it
    was written to a directory where earlier checkpoints hold what is lost. ``undo``: it holds what
    an import with ``--force`` overwrote.
    """

    timestamp: str
    db_path: str | None
    entries: Sequence[Entry]
    node_id: str | None = None
    generator: str | None = None
    forced: bool = False
    after_loss: bool = False
    undo: bool = False
    name: str = ""

    @property
    def time(self) -> datetime:
        """The timestamp as an aware datetime, to tell newer from older."""
        return parse_time(self.timestamp)

    @property
    def position_count(self) -> int:
        """How many entries have a position to restore."""
        return sum(1 for entry in self.entries if entry.cursor)

    @property
    def settled(self) -> bool:
        """No earlier checkpoint is needed: nothing was lost when it was taken, or it was forced."""
        return self.forced or not self.after_loss

    def is_of_another_node(self, node_id: str | None) -> bool:
        """Tell whether another node than *node_id* wrote it.

        Where either does not say, it cannot be told and is taken to be the same.
        """
        return bool(self.node_id and node_id and self.node_id != node_id)


def is_from_the_future(checkpoint: Checkpoint, now: datetime) -> bool:
    """Tell whether a checkpoint is dated more than a minute ahead."""
    return checkpoint.time > now + CLOCKS_DIFFER


def newest_first(checkpoints: Iterable[Checkpoint], now: datetime) -> Sequence[Checkpoint]:
    """Return the checkpoints, newest first; one dated in the future counts as oldest.

    Of two with one time, the one that was named later counts as newer.
    """
    in_order = list(checkpoints)[::-1]
    return sorted(
        in_order,
        key=lambda checkpoint: (not is_from_the_future(checkpoint, now), checkpoint.time),
        reverse=True,
    )


def build(snapshot: Snapshot, now: datetime) -> Checkpoint:
    """Return the checkpoint of a database at the time *now* (aware, UTC).

    Its entries are in the order of their peers' node ids. Cursors of a peer that the database does
    not know are left out, as the host does.
    """
    return _checkpoint_of((snapshot.cursors or {}).values(), snapshot, now)


def unusable(checkpoint: Checkpoint, snapshot: Snapshot) -> Iterator[Entry]:
    """Find the entries whose position could not be written down."""
    stored = snapshot.cursors or {}
    for entry in checkpoint.entries:
        if entry.cursor is None and stored[entry.key].position is not None:
            yield entry


def build_undo(
    cursors: Iterable[Cursor],
    false_positions: Mapping[Key, Received | None],
    snapshot: Snapshot,
    now: datetime,
) -> Checkpoint:
    """Return a checkpoint of what *cursors* overwrite, which may be no position.

    *false_positions* has the positions that the import empties, each with the count that showed
    facts to be missing. The undo entry keeps that count: a new one, of what is left, would prove
    the position.
    """
    stored = snapshot.cursors or {}
    overwritten = [
        stored.get(cursor.key) or cursor._replace(position=None, updated_at="")
        for cursor in cursors
    ]
    undo = _checkpoint_of(overwritten, snapshot, now)
    entries = [
        replace(entry, received=false_positions[entry.key])
        if entry.key in false_positions
        else entry
        for entry in undo.entries
    ]
    return replace(undo, entries=entries, undo=True)


def _checkpoint_of(cursors: Iterable[Cursor], snapshot: Snapshot, now: datetime) -> Checkpoint:
    peers = {peer.id: peer for peer in snapshot.peers}
    # Once, not for each entry: it looks through all peers.
    renamed = snapshot.has_facts_of_former_peers
    entries = [
        _entry_of(cursor, peers[cursor.peer_id], snapshot, renamed=renamed)
        for cursor in cursors
        if cursor.peer_id in peers
    ]
    entries.sort(key=lambda entry: (entry.peer_node_id, entry.direction))
    return Checkpoint(
        timestamp=rfc3339(now.replace(microsecond=0)),
        # A name that is not UTF-8 cannot be written down as it is.
        db_path=snapshot.database.encode("utf-8", "backslashreplace").decode(),
        entries=entries,
        node_id=snapshot.node_id,
        generator=f"stigmem-cursor-plugin {__version__}",
    )


def _entry_of(cursor: Cursor, peer: Peer, snapshot: Snapshot, *, renamed: bool) -> Entry:
    inbound = cursor.direction == INBOUND
    unusable = cursor.position is None or _CONTROL.search(cursor.position)
    return Entry(
        peer.id,
        peer.node_id,
        peer.url,
        peer.status,
        cursor.direction,
        None if unusable else cursor.position,
        rfc3339_of(cursor.updated_at),
        _received(cursor, peer, snapshot, renamed=renamed) if inbound else None,
    )


def _received(cursor: Cursor, peer: Peer, snapshot: Snapshot, *, renamed: bool) -> Received:
    received = snapshot.received_from(peer.node_id)
    # What a peer offered may have come from another first, and is counted there: from a relay, or
    # from the same node under the node id that it had before.
    others = renamed and cursor.position and not received.facts
    return snapshot.received_at_all if snapshot.may_hold_indirect_facts or others else received


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
