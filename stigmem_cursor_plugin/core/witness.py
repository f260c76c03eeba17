"""Whether a database holds the facts that a position stands for: the rules of docs/guarantees.md.

A position says: all that this peer offered up to here is in the database. A checkpoint entry
brings a witness for that. Where the database does not confirm it, the position is in doubt.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import PurePath

from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.snapshot import (
    INBOUND,
    Peer,
    Questions,
    Receipt,
    Received,
    Snapshot,
)
from stigmem_cursor_plugin.core.times import parse_time


class Proof(Enum):
    """What a database says of an entry's facts."""

    NOT_NEEDED = "not needed"
    """No facts belong to this entry: it is not inbound, or it has no position."""
    COUNTED = "counted"
    """The facts that the checkpoint counts are there."""
    RECEIVED = "received"
    """A fact is there that was received just before the position moved."""
    ON_TRUST = "on trust"
    """The checkpoint counts no facts, none are there, and the peer has kept its id."""
    FACTS_MISSING = "facts missing"
    """Facts that the checkpoint counts are not there."""
    NOT_RECEIVED = "not received"
    """The checkpoint counts no facts, and nothing shows that the newest of them are there."""
    REGISTERED_AGAIN = "registered again"
    """The checkpoint counts no facts, none are there, and the peer has got a new id."""
    OTHER_NODE = "other node"
    """The checkpoint counts no facts, and seems to be another node's."""
    RELAYS_NOT_COUNTED = "relays not counted"
    """The checkpoint counts this peer's facts alone, and some may have come otherwise.

    The node takes facts from relays, or facts that peers push.
    """


PROVEN = (Proof.COUNTED, Proof.RECEIVED)
IN_DOUBT = (
    Proof.FACTS_MISSING,
    Proof.NOT_RECEIVED,
    Proof.REGISTERED_AGAIN,
    Proof.OTHER_NODE,
    Proof.RELAYS_NOT_COUNTED,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The proof, and how many facts the database holds and lacks, at least.

    ``missing`` is 0 where the number is not known.
    """

    proof: Proof
    held: int = 0
    missing: int = 0

    @property
    def is_proof(self) -> bool:
        """The facts that the position stands for are there."""
        return self.proof in PROVEN

    @property
    def in_doubt(self) -> bool:
        """The facts may be gone: restoring the position could skip them for ever."""
        return self.proof in IN_DOUBT


NOT_NEEDED = Evidence(Proof.NOT_NEEDED)

PAGE_STORED_WITHIN = timedelta(seconds=5)
"""The node stores the facts of a page at most this long before it moves the position.

So a fact that was received in this span before the move is of the last page, and shows that the
page is there (docs/guarantees.md, rule 3). If the node pulls more often, the page before is in the
span too, and would be taken for the last one: the span is one pull interval then, since the loop
sleeps that long before each page (seen on two real nodes that pull every second).

Not covered: ``cursor-catchup`` does not sleep between pages. A backup made in its last five seconds
is taken for whole, if the checkpoint counts no facts.
"""


def questions(
    checkpoints: Iterable[Checkpoint], *, pull_interval: int, pushes: bool, relays: bool
) -> Questions:
    """Return what a database must be asked before :func:`examine` can judge these entries.

    *pull_interval* is the node's, in seconds; *pushes*: it takes facts that peers push. A pushed
    fact comes out of order, so its receipt shows nothing, and a count of a peer's facts may be made
    up of later ones: the whole table is counted, as where the node *relays*.
    """
    entries = [
        entry
        for checkpoint in checkpoints
        for entry in checkpoint.entries
        if entry.direction == INBOUND and entry.cursor
    ]
    counted = [entry.received for entry in entries if entry.received is not None]
    uncounted = [entry for entry in entries if entry.received is None and not pushes]
    receipts = [
        moved_with_page(one.peer_node_id, one.updated_at, pull_interval) for one in uncounted
    ]
    return Questions(
        fact_ids={received.last_fact_id for received in counted if received.last_fact_id},
        receipts={asked for asked in receipts if asked is not None},
        whole_table=any(received.any_sender for received in counted),
        pushes=pushes,
        relays=relays,
    )


def seems_foreign(checkpoint: Checkpoint, snapshot: Snapshot) -> bool:
    """Tell whether a checkpoint seems to be another node's, where node ids do not say it.

    The host's own checkpoints name no node (0.9.0a12). A node makes up its own peer ids, so one
    that shares none is taken for another node's; unless it is of a database of the same name, and
    shares a peer or there is none: all may have to be registered again.
    """
    if (checkpoint.node_id and snapshot.node_id) or not checkpoint.position_count:
        return False
    if {entry.peer_id for entry in checkpoint.entries} & {peer.id for peer in snapshot.peers}:
        return False
    if not _is_same_name(checkpoint.db_path or "", snapshot.database):
        return True
    nodes = {entry.peer_node_id for entry in checkpoint.entries}
    return bool(snapshot.peers) and nodes.isdisjoint(peer.node_id for peer in snapshot.peers)


def _is_same_name(one: str, other: str) -> bool:
    """Tell whether two names may be of one database: a relative path may lead anywhere."""
    first, second = PurePath(one), PurePath(other)
    both_whole = first.is_absolute() and second.is_absolute()
    return first == second if both_whole else first.name == second.name


def examine(entry: Entry, peer: Peer, snapshot: Snapshot) -> Evidence:
    """Return whether *snapshot* holds the facts that *entry*, of *peer*, stands for."""
    if entry.direction != INBOUND or not entry.cursor:
        return NOT_NEEDED
    if entry.received is not None:
        return _counted(entry.received, peer, snapshot)
    held = snapshot.received_from(peer.node_id).facts
    if held:
        seen = moved_with_page(entry.peer_node_id, entry.updated_at) in snapshot.receipts
        return Evidence(Proof.RECEIVED if seen else Proof.NOT_RECEIVED, held)
    registered_again = peer.id != entry.peer_id
    return Evidence(Proof.REGISTERED_AGAIN if registered_again else Proof.ON_TRUST)


def _counted(received: Received, peer: Peer, snapshot: Snapshot) -> Evidence:
    whole_table = received.any_sender or snapshot.may_hold_indirect_facts
    if whole_table:
        held = snapshot.received_at_all.facts
        last_is_there = received.last_fact_id in snapshot.held
    else:
        held = snapshot.received_from(peer.node_id).facts
        last_is_there = (received.last_fact_id, peer.node_id) in snapshot.held.items()
    # Whatever is held instead of the one stored last, at least that one is missing.
    least = 1 if received.facts and not last_is_there else 0
    missing = max(least, received.facts - held)
    if missing:
        return Evidence(Proof.FACTS_MISSING, held, missing)
    if whole_table and not received.any_sender:
        return Evidence(Proof.RELAYS_NOT_COUNTED, snapshot.received_from(peer.node_id).facts)
    return Evidence(Proof.COUNTED, held)


def moved_with_page(
    node_id: str, moved: str | None, pull_interval: int | None = None
) -> Receipt | None:
    """Return the question whether a position of this peer moved with a page that is held.

    *moved* is when it moved (RFC 3339); None where that cannot be read. With the *pull_interval*,
    in seconds, a page before is not taken for that one.
    """
    if moved is None:
        return None
    try:
        return _span(node_id, parse_time(moved).astimezone(UTC), pull_interval)
    except OverflowError:  # in the year 1 or 9999
        return None


def _span(node_id: str, moved: datetime, pull_interval: int | None) -> Receipt:
    # A time without a fraction stands for its whole second.
    end = moved if moved.microsecond else moved + timedelta(seconds=1, microseconds=-1)
    if pull_interval is None or pull_interval > PAGE_STORED_WITHIN.seconds:
        since = moved - PAGE_STORED_WITHIN
    else:
        since = end - timedelta(seconds=pull_interval)
    return Receipt(node_id, since.isoformat(), end.isoformat())
