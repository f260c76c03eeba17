"""What an import does with each position: the decision table of docs/guarantees.md.

Checkpoints and a snapshot of the database in, a plan out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from stigmem_cursor_plugin.core import positions
from stigmem_cursor_plugin.core.checkpoint import (
    Checkpoint,
    Entry,
    is_from_the_future,
    newest_first,
)
from stigmem_cursor_plugin.core.decision import Decision, Outcome
from stigmem_cursor_plugin.core.positions import Move
from stigmem_cursor_plugin.core.snapshot import (
    Cursor,
    Key,
    NodeKey,
    Peer,
    Receipt,
    Received,
    Snapshot,
)
from stigmem_cursor_plugin.core.times import rfc3339_of
from stigmem_cursor_plugin.core.witness import (
    NOT_NEEDED,
    Evidence,
    Proof,
    examine,
    moved_with_page,
    seems_foreign,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import does, before it is done."""

    decisions: Sequence[Decision]
    table_missing: bool

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many positions have each outcome."""
        outcomes = [decision.outcome for decision in self.decisions]
        return {outcome: outcomes.count(outcome) for outcome in Outcome}

    @property
    def withholds(self) -> bool:
        """Whether a position is not restored, or not to be trusted: facts are or may be missing."""
        return any(decision.withholds for decision in self.decisions)

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        return self.table_missing or any(decision.written for decision in self.decisions)

    @property
    def overwrites(self) -> bool:
        """Whether a position that is set becomes another, or none."""
        return any(decision.moves for decision in self.decisions)

    @property
    def false_positions(self) -> Mapping[Key, Received | None]:
        """The positions that are emptied, with the count of the checkpoint that shows why."""
        return {
            (decision.peer.id, decision.entry.direction): decision.entry.received
            for decision in self.decisions
            if decision.outcome is Outcome.CLEARED and decision.peer is not None
        }

    def cursors(self, updated_at: str) -> Sequence[Cursor]:
        """Return the rows to write; *updated_at* is for those whose page is not known."""
        return [
            Cursor(
                decision.peer.id,
                decision.entry.direction,
                decision.position,
                decision.moved_at or updated_at,
            )
            for decision in self.decisions
            if decision.written and decision.peer is not None
        ]


def plan(
    checkpoints: Sequence[Checkpoint],
    snapshot: Snapshot,
    now: datetime,
    *,
    force: bool = False,
    accept_loss: bool = False,
) -> Plan:
    """Decide for each peer and direction of the checkpoints.

    For each, the newest checkpoint whose position the database can back up. An older one counts if
    witnesses show that its position is further ahead: the node has fallen back since. None counts
    if an older one shows that facts before its position are missing: it was written after the loss.

    *force* overwrites positions that are set; *accept_loss* restores positions whose facts the
    database lacks, so the newest checkpoint counts.
    """
    find = PeerFinder(snapshot.peers).find
    rules = _Rules(snapshot, now, force=force, accept_loss=accept_loss)
    best: dict[NodeKey, Decision] = {}
    given_up = False
    for checkpoint in newest_first(checkpoints, now):
        foreign = seems_foreign(checkpoint, snapshot)
        for entry in checkpoint.entries:
            peer = find(entry)
            key = (entry.peer_node_id if peer is None else peer.node_id, entry.direction)
            decision = rules.decide(checkpoint, entry, peer, foreign=foreign)
            counts = key not in best or rules.is_better(decision, best[key])
            if counts or (not given_up and rules.disproves(decision, best[key])):
                best[key] = decision
        # Whoever exported with --force gave up what was lost before.
        given_up = given_up or checkpoint.forced
    return Plan(list(best.values()), table_missing=snapshot.cursors is None)


class PeerFinder:
    """Finds the peer of an entry: by node id, which outlives registration, else by peer id."""

    def __init__(self, peers: Sequence[Peer]) -> None:
        """Take the peers that the database knows."""
        self._by_node_id: Mapping[str, Peer] = {peer.node_id: peer for peer in peers}
        self._by_id: Mapping[str, Peer] = {peer.id: peer for peer in peers}

    def find(self, entry: Entry) -> Peer | None:
        """Return the peer that an entry is about, None if it is not registered."""
        return self._by_node_id.get(entry.peer_node_id) or self._by_id.get(entry.peer_id)


def stands_on_missing_facts(entry: Entry, peer: Peer, snapshot: Snapshot) -> bool:
    """Tell whether the database's own position is false, as this entry shows.

    In both cases facts that the entry counts are missing. Either the position is at or past the
    entry's: the node will never fetch them. Or it is before the entry's, and no page that is held
    shows that it moved there: the host's own import may have put it too far. Where facts may come
    by others (relays, pushes), no page can show anything, and only the first case counts.
    """
    return _is_false(entry, peer, snapshot, examine(entry, peer, snapshot))


def receipts_to_ask(checkpoints: Sequence[Checkpoint], snapshot: Snapshot) -> Collection[Receipt]:
    """Return what :func:`stands_on_missing_facts` must know of positions that moved back.

    It is little, and little often: only where facts were lost.
    """
    if snapshot.may_hold_indirect_facts:
        return []
    find = PeerFinder(snapshot.peers).find
    asked = set()
    for entry in (entry for checkpoint in checkpoints for entry in checkpoint.entries):
        peer = find(entry)
        if peer is None or snapshot.position(peer, entry.direction) is None:
            continue
        missing = examine(entry, peer, snapshot).proof is Proof.FACTS_MISSING
        if missing and _is_behind(snapshot.position(peer, entry.direction), entry):
            asked.add(moved_with_page(peer.node_id, _last_moved(peer, entry, snapshot)))
    return {question for question in asked if question is not None}


def _is_false(entry: Entry, peer: Peer, snapshot: Snapshot, evidence: Evidence) -> bool:
    if evidence.proof is not Proof.FACTS_MISSING:
        return False
    position = snapshot.position(peer, entry.direction)
    if _is_behind(position, entry):
        moved = moved_with_page(peer.node_id, _last_moved(peer, entry, snapshot))
        return not snapshot.may_hold_indirect_facts and moved not in snapshot.receipts
    return _reaches(position, entry)


def _is_behind(position: str | None, entry: Entry) -> bool:
    return position is not None and positions.move(entry.cursor, position) is Move.BACK


def _reaches(position: str | None, entry: Entry) -> bool:
    return positions.move(entry.cursor, position) in (Move.NONE, Move.FORWARD)


def _last_moved(peer: Peer, entry: Entry, snapshot: Snapshot) -> str | None:
    return rfc3339_of((snapshot.cursors or {})[peer.id, entry.direction].updated_at)


class _Rules:
    """The rows of the decision table, in order."""

    def __init__(
        self, snapshot: Snapshot, now: datetime, *, force: bool, accept_loss: bool
    ) -> None:
        self._snapshot = snapshot
        self._now = now
        self._force = force
        self._accept_loss = accept_loss

    def decide(
        self, checkpoint: Checkpoint, entry: Entry, peer: Peer | None, *, foreign: bool
    ) -> Decision:
        """Decide as if there were only this entry; *foreign*: it seems to be another node's."""
        previous = self._snapshot.position(peer, entry.direction) if peer else None
        # Undoing an import also empties the positions that were empty before it; no other
        # checkpoint ever does.
        if not entry.cursor and not (checkpoint.undo and self._force):
            return Decision(Outcome.NO_POSITION, checkpoint, entry, peer, previous)
        if peer is None:
            return Decision(Outcome.PEER_NOT_FOUND, checkpoint, entry, peer)
        evidence = examine(entry, peer, self._snapshot)
        if foreign and evidence.proof is Proof.RECEIVED:
            # Another node may have received a fact at that time too.
            evidence = replace(evidence, proof=Proof.OTHER_NODE)
        is_false = not self._accept_loss and _is_false(entry, peer, self._snapshot, evidence)
        if previous is not None and not self._force:
            shown = evidence if is_false else NOT_NEEDED
            return Decision(Outcome.ALREADY_SET, checkpoint, entry, peer, previous, shown)
        outcome = self._outcome(evidence, is_false=is_false)
        return Decision(outcome, checkpoint, entry, peer, previous, evidence)

    def _outcome(self, evidence: Evidence, *, is_false: bool) -> Outcome:
        if not evidence.in_doubt or self._accept_loss:
            return Outcome.RESTORED
        return Outcome.CLEARED if is_false else Outcome.WITHHELD

    def is_better(self, older: Decision, newer: Decision) -> bool:
        """Tell whether the decision of an older checkpoint is better than that of a newer one."""
        return self._rank(older) > self._rank(newer) or self._is_further(older, newer)

    def disproves(self, older: Decision, newer: Decision) -> bool:
        """Tell whether an older checkpoint counts facts before *newer*'s position that are gone."""
        if self._accept_loss or newer.outcome is not Outcome.RESTORED:
            return False
        if older.entry.peer_node_id != newer.entry.peer_node_id:
            return False  # what a peer sent under another node id is counted otherwise
        missing = older.evidence.proof is Proof.FACTS_MISSING
        return missing and _reaches(newer.entry.cursor, older.entry)

    def _is_further(self, older: Decision, newer: Decision) -> bool:
        if self._accept_loss or is_from_the_future(older.checkpoint, self._now):
            return False
        further = positions.move(newer.entry.cursor, older.entry.cursor) is Move.FORWARD
        return further and older.evidence.is_proof and newer.evidence.is_proof

    def _rank(self, decision: Decision) -> tuple[bool, ...]:
        """Return what compares as greater for a better decision: the worst outcome weighs most."""
        on_trust = decision.evidence.proof is Proof.ON_TRUST and not self._accept_loss
        return (
            decision.outcome is not Outcome.NO_POSITION,
            not on_trust,  # worse than any checkpoint that counts its facts
            decision.outcome is not Outcome.WITHHELD,
            decision.outcome is not Outcome.CLEARED,
        )
