"""What an import does with each position: the decision table of the design, as pure functions.

No I/O, no clock, no printing: checkpoints and a snapshot of the database in, a plan out.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

from stigmem_cursor_plugin.core.checkpoint import INBOUND, Checkpoint, Entry
from stigmem_cursor_plugin.core.snapshot import Cursor, Peer, Snapshot


class Outcome(Enum):
    """What becomes of one peer and direction; the value is the word for it everywhere."""

    RESTORED = "restored"
    PEER_NOT_FOUND = "peer not found"
    ALREADY_SET = "already set"
    FACTS_MISSING = "facts missing"
    NO_POSITION = "no position"


_RESTORED = Outcome.RESTORED
"""Looking up a member takes Python 3.11 longer than the rest of a test for it."""


class Decision(NamedTuple):
    """The outcome for one peer and direction, from the entry that led to it.

    ``peer`` is the peer that the database knows for it, ``checkpoint`` the number of the entry's
    checkpoint, ``previous`` the position in the database. ``held`` counts the facts that the
    database holds from the peer; ``missing`` counts those that it lacks, where the entry says.
    """

    outcome: Outcome
    checkpoint: int
    entry: Entry
    peer: Peer | None
    previous: str | None = None
    held: int = 0
    missing: int = 0

    @property
    def reregistered(self) -> bool:
        """The peer is known by its node id, under another peer id than the entry's."""
        return self.peer is not None and self.peer.id != self.entry.peer_id

    @property
    def unproven(self) -> bool:
        """Restored on the operator's word: nothing shows that the facts are there."""
        outcome, _, entry, _, _, held, missing = self
        return (
            (missing > 0 or (held == 0 and entry.received is None))
            and outcome is _RESTORED
            and entry.direction == INBOUND
        )


@dataclass(frozen=True)
class Plan:
    """What an import does, before it is done."""

    decisions: Sequence[Decision]
    table_missing: bool

    def count(self, outcome: Outcome) -> int:
        """Return how many positions have this outcome."""
        return self._counts[outcome]

    @cached_property
    def _counts(self) -> Counter[Outcome]:
        return Counter(map(attrgetter("outcome"), self.decisions))

    @property
    def overwrites(self) -> bool:
        """Whether a position that is set becomes another."""
        return any(
            previous is not None and previous != entry.cursor and outcome is _RESTORED
            for outcome, _, entry, _, previous, _, _ in self.decisions
        )

    def cursors(self, updated_at: str) -> Sequence[Cursor]:
        """Return the rows to write, all moved at *updated_at*."""
        return [
            Cursor(peer.id, entry.direction, entry.cursor, updated_at)
            for outcome, _, entry, peer, _, _, _ in self.decisions
            if outcome is _RESTORED and peer is not None
        ]


def foreign(checkpoints: Sequence[Checkpoint], snapshot: Snapshot) -> Iterator[int]:
    """Return the numbers of those checkpoints that another node wrote.

    A checkpoint or a database without a node id cannot be told apart and passes.
    """
    for number, checkpoint in enumerate(checkpoints):
        if checkpoint.node_id and snapshot.node_id and checkpoint.node_id != snapshot.node_id:
            yield number


def facts_to_look_up(checkpoints: Sequence[Checkpoint]) -> Collection[str]:
    """Return the ids of the facts whose presence a plan depends on."""
    return {
        entry.received.last_fact_id
        for checkpoint in checkpoints
        for entry in checkpoint.entries
        if entry.received is not None and entry.received.last_fact_id is not None
    }


def plan(
    checkpoints: Sequence[Checkpoint],
    snapshot: Snapshot,
    *,
    force: bool = False,
    accept_loss: bool = False,
) -> Plan:
    """Decide for each peer and direction of the checkpoints.

    For each, the newest checkpoint that the database can back up (design, "cursor-import").
    *force* overwrites positions that are set; *accept_loss* restores positions whose facts the
    database lacks.
    """
    find = PeerFinder(snapshot.peers).find
    rules = _Rules(checkpoints, snapshot, force=force, accept_loss=accept_loss)
    newest_first = sorted(
        enumerate(checkpoints), key=lambda item: (item[1].time, item[0]), reverse=True
    )
    decisions: dict[tuple[str, str], Decision] = {}
    for number, checkpoint in newest_first:
        for entry in checkpoint.entries:
            peer = find(entry)
            key = (entry.peer_node_id if peer is None else peer.node_id, entry.direction)
            newer = decisions.get(key)
            if newer is None or rules.rank(newer) < _BEST:
                older = rules.decide(number, entry, peer)
                if newer is None or rules.rank(older) > rules.rank(newer):
                    decisions[key] = older
    return Plan(list(decisions.values()), table_missing=snapshot.cursors is None)


class PeerFinder:
    """Finds the peer of an entry: by node id, which outlives registration, else by peer id."""

    def __init__(self, peers: Sequence[Peer]) -> None:
        """Take the peers that the database knows."""
        self._peers = peers
        self._by_node_id = {peer.node_id: peer for peer in peers}

    def find(self, entry: Entry) -> Peer | None:
        """Return the peer that an entry is about, None if it is not registered."""
        return self._by_node_id.get(entry.peer_node_id) or self._by_id.get(entry.peer_id)

    @cached_property
    def _by_id(self) -> Mapping[str, Peer]:
        return {peer.id: peer for peer in self._peers}


_BEST = 3
"""The highest rank of a decision."""


class _Rules:
    """The rows of the decision table, in order."""

    def __init__(
        self,
        checkpoints: Sequence[Checkpoint],
        snapshot: Snapshot,
        *,
        force: bool,
        accept_loss: bool,
    ) -> None:
        self._held = snapshot.held
        self._facts = {node_id: item.facts for node_id, item in snapshot.received.items()}
        self._cursors = snapshot.cursors or {}
        self._force = force
        self._accept_loss = accept_loss
        # Undoing an import also empties the positions that were empty before it; no other
        # checkpoint ever empties one.
        self._emptying = {n for n, taken in enumerate(checkpoints) if taken.undo and force}

    def decide(self, number: int, entry: Entry, peer: Peer | None) -> Decision:
        """Decide as if there were only this entry, of the checkpoint with this *number*."""
        if not entry.cursor and number not in self._emptying:
            return Decision(Outcome.NO_POSITION, number, entry, peer)
        if peer is None:
            return Decision(Outcome.PEER_NOT_FOUND, number, entry, peer)
        cursor = self._cursors.get((peer.id, entry.direction))
        previous = cursor.position if cursor else None
        if previous is not None and not self._force:
            return Decision(Outcome.ALREADY_SET, number, entry, peer, previous)
        held = self._facts.get(peer.node_id, 0)
        missing = self._missing(entry, peer, held)
        withheld = missing > 0 and not self._accept_loss
        outcome = Outcome.FACTS_MISSING if withheld else _RESTORED
        return Decision(outcome, number, entry, peer, previous, held, missing)

    def rank(self, decision: Decision) -> int:
        """Return how good a decision is; of equally good ones the newest entry's counts."""
        if decision.outcome is Outcome.NO_POSITION:
            return 0
        if decision.outcome is Outcome.FACTS_MISSING:
            return 2
        # One that counts its facts can be proven; one that does not is taken on trust, and only
        # where there is nothing better.
        on_trust = decision.outcome is _RESTORED and decision.entry.received is None
        return 1 if on_trust and not self._accept_loss else _BEST

    def _missing(self, entry: Entry, peer: Peer, held: int) -> int:
        """Return how many of the entry's facts the database lacks, at least."""
        received = entry.received
        if received is None or not received.facts:
            return 0
        if (peer.node_id, received.last_fact_id) in self._held:
            return max(0, received.facts - held)
        # The newest fact is not there: whatever is held instead, at least that one is missing.
        return max(1, received.facts - held)
