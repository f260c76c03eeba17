"""What an import does with each position: the decision table of the design, as pure functions.

No I/O, no clock, no printing: checkpoints and a snapshot of the database in, a plan out.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple

from stigmem_cursor_plugin.checkpoint import INBOUND, Checkpoint, Entry
from stigmem_cursor_plugin.snapshot import Cursor, Peer, Snapshot


class Outcome(Enum):
    """What becomes of one peer and direction; the value is the word for it everywhere."""

    RESTORED = "restored"
    PEER_NOT_FOUND = "peer not found"
    ALREADY_SET = "already set"
    FACTS_MISSING = "facts missing"
    NO_POSITION = "no position"


class Candidate(NamedTuple):
    """An entry, the number of the checkpoint it comes from, and the peer it is for."""

    checkpoint: int
    entry: Entry
    peer: Peer | None
    undo: bool = False


class Decision(NamedTuple):
    """The outcome for one peer and direction, from the candidate that led to it.

    ``previous`` is the position in the database. ``held`` counts the facts that the database
    holds from the peer; ``missing`` counts those that it lacks, where the entry says.
    """

    outcome: Outcome
    candidate: Candidate
    previous: str | None = None
    held: int = 0
    missing: int = 0

    @property
    def reregistered(self) -> bool:
        """The peer is known by its node id, under another peer id than the entry's."""
        peer = self.candidate.peer
        return peer is not None and peer.id != self.candidate.entry.peer_id

    @property
    def unremarkable(self) -> bool:
        """Restored where nothing was, to the peer that the entry names, and proven."""
        outcome, (_, entry, peer, _), previous, *_ = self
        return (
            outcome is Outcome.RESTORED
            and previous is None
            and peer is not None
            and peer[:2] == entry[:2]
            and not self.unproven
        )

    @property
    def unproven(self) -> bool:
        """Restored on the operator's word: nothing shows that the facts are there."""
        entry = self.candidate.entry
        return (
            self.outcome is Outcome.RESTORED
            and entry.direction == INBOUND
            and (self.missing > 0 or (entry.received is None and self.held == 0))
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
            decision.outcome is Outcome.RESTORED
            and decision.previous not in (None, decision.candidate.entry.cursor)
            for decision in self.decisions
        )

    def cursors(self, updated_at: str) -> Sequence[Cursor]:
        """Return the rows to write, all moved at *updated_at*."""
        return [
            Cursor(candidate.peer.id, candidate.entry.direction, candidate.entry.cursor, updated_at)
            for decision in self.decisions
            if decision.outcome is Outcome.RESTORED
            and (candidate := decision.candidate).peer is not None
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
    rules = _Rules(snapshot, force=force, accept_loss=accept_loss)
    return Plan(
        decisions=[rules.decide(candidates) for candidates in _grouped(checkpoints, snapshot)],
        table_missing=snapshot.cursors is None,
    )


def _grouped(
    checkpoints: Sequence[Checkpoint], snapshot: Snapshot
) -> Collection[Sequence[Candidate]]:
    """Return the candidates for each peer and direction, newest first."""
    find = PeerFinder(snapshot.peers).find
    newest_first = sorted(
        enumerate(checkpoints), key=lambda item: (item[1].time, item[0]), reverse=True
    )
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for number, checkpoint in newest_first:
        undo = checkpoint.undo
        for entry in checkpoint.entries:
            peer = find(entry)
            key = (entry.peer_node_id if peer is None else peer.node_id, entry.direction)
            candidate = Candidate(number, entry, peer, undo)
            if key in groups:
                groups[key].append(candidate)
            else:
                groups[key] = [candidate]
    return groups.values()


class PeerFinder:
    """Finds the peer of an entry: by node id, which outlives registration, else by peer id."""

    def __init__(self, peers: Sequence[Peer]) -> None:
        """Take the peers that the database knows."""
        self._by_node_id = {peer.node_id: peer for peer in peers}
        self._by_id = {peer.id: peer for peer in peers}

    def find(self, entry: Entry) -> Peer | None:
        """Return the peer that an entry is about, None if it is not registered."""
        return self._by_node_id.get(entry.peer_node_id) or self._by_id.get(entry.peer_id)


class _Rules:
    """The rows of the decision table, in order."""

    def __init__(self, snapshot: Snapshot, *, force: bool, accept_loss: bool) -> None:
        self._snapshot = snapshot
        self._cursors = snapshot.cursors or {}
        self._force = force
        self._accept_loss = accept_loss

    def decide(self, candidates: Sequence[Candidate]) -> Decision:
        # Undoing an import also empties the positions that were empty before it; no other
        # checkpoint ever empties one.
        with_position = [
            candidate
            for candidate in candidates
            if candidate.entry.cursor or (candidate.undo and self._force)
        ]
        if not with_position:
            return Decision(Outcome.NO_POSITION, candidates[0])
        newest = with_position[0]
        peer = newest.peer
        if peer is None:
            return Decision(Outcome.PEER_NOT_FOUND, newest)
        cursor = self._cursors.get((peer.id, newest.entry.direction))
        previous = cursor.position if cursor else None
        if previous is not None and not self._force:
            return Decision(Outcome.ALREADY_SET, newest, previous)
        return self._backed_up(with_position, peer, previous)

    def _backed_up(
        self, candidates: Sequence[Candidate], peer: Peer, previous: str | None
    ) -> Decision:
        held = self._snapshot.received_from(peer).facts
        newest = candidates[0]
        if not self._accept_loss:
            # One that counts its facts can be proven; one that does not is taken on trust,
            # and only where there is nothing better.
            counted = [item for item in candidates if item.entry.received is not None]
            for candidate in counted:
                if self._missing(candidate, peer, held) == 0:
                    return Decision(Outcome.RESTORED, candidate, previous, held)
            if counted:
                missing = self._missing(counted[0], peer, held)
                return Decision(Outcome.FACTS_MISSING, counted[0], previous, held, missing)
        missing = self._missing(newest, peer, held)
        return Decision(Outcome.RESTORED, newest, previous, held, missing)

    def _missing(self, candidate: Candidate, peer: Peer, held: int) -> int:
        """Return how many of the entry's facts the database lacks, at least."""
        received = candidate.entry.received
        if received is None or not received.facts:
            return 0
        if (peer.node_id, received.last_fact_id) in self._snapshot.held:
            return max(0, received.facts - held)
        # The newest fact is not there: whatever is held instead, at least that one is missing.
        return max(1, received.facts - held)
