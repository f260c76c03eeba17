"""What a check finds in checkpoints and a database, and what keeps them from being fit.

Fit means: an operator who recovers from this loses nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stigmem_cursor_plugin.core import positions, retention
from stigmem_cursor_plugin.core.checkpoint import Checkpoint, is_from_the_future, newest_first
from stigmem_cursor_plugin.core.checkpoint_file import CheckpointFile
from stigmem_cursor_plugin.core.decision import Decision, Outcome
from stigmem_cursor_plugin.core.loss import Loss, losses
from stigmem_cursor_plugin.core.problem import Problem, Trouble
from stigmem_cursor_plugin.core.recovery import Plan
from stigmem_cursor_plugin.core.selection import Selection, dated_in_future
from stigmem_cursor_plugin.core.snapshot import ACTIVE, INBOUND, NodeKey, Peer, Snapshot
from stigmem_cursor_plugin.core.witness import Proof


@dataclass(frozen=True, slots=True)
class PeerState:
    """One peer in one direction: its position, and the facts that losing it would cost."""

    peer: Peer
    direction: str
    position: str | None
    facts: int

    @property
    def lost(self) -> bool:
        """An active peer sent facts, and how far the node got is not known."""
        return self.peer.active and bool(self.facts) and self.position is None

    def age(self, now: datetime) -> timedelta | None:
        """Return how long ago the position is, where it can be read."""
        time = positions.time_of(self.position)
        return now - time if time else None


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """A database: every peer in every direction it has a cursor for, inbound at least."""

    name: str
    node_id: str | None
    table_missing: bool
    peers: Sequence[PeerState]


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a check has found; ``pull_interval`` is the node's, in seconds.

    ``failure`` says why the check could not be finished.
    """

    now: datetime
    pull_interval: int
    files: Sequence[CheckpointFile]
    selection: Selection
    database: DatabaseState | None = None
    plan: Plan | None = None
    problems: Sequence[Problem] = ()
    failure: Sequence[str] = ()

    @property
    def fit(self) -> bool:
        """Whether an operator who recovers from this loses nothing."""
        return not self.problems and not self.failure


def state_of(snapshot: Snapshot) -> DatabaseState:
    """Return the state of a database."""
    return DatabaseState(
        snapshot.database, snapshot.node_id, snapshot.cursors is None, list(_peers(snapshot))
    )


def _peers(snapshot: Snapshot) -> Iterator[PeerState]:
    directions: dict[str, set[str]] = {}
    for peer_id, direction in snapshot.cursors or {}:
        directions.setdefault(peer_id, set()).add(direction)
    for peer in sorted(snapshot.peers, key=lambda peer: peer.node_id):
        for direction in sorted({INBOUND} | directions.get(peer.id, set())):
            facts = snapshot.received_from(peer.node_id).facts if direction == INBOUND else 0
            yield PeerState(peer, direction, snapshot.position(peer, direction), facts)


def database_problems(database: DatabaseState) -> Iterator[Problem]:
    """Find what the database alone shows to be lost."""
    if database.table_missing:
        yield Problem(Trouble.TABLE_MISSING, database.name)
        return
    for item in database.peers:
        if item.lost:
            yield Problem(
                Trouble.POSITION_LOST,
                database.name,
                peer=item.peer.node_id,
                direction=item.direction,
                facts=item.facts,
            )


def too_old(selection: Selection, now: datetime, limit: timedelta) -> Iterator[Problem]:
    """Find the files that are older than *limit*, or not written yet.

    Of a directory only the newest is judged.
    """
    for found in selection.by_source.values():
        for newest in newest_first(found, now)[:1]:
            if is_from_the_future(newest, now):
                yield dated_in_future(newest)
            elif now - newest.time > limit:
                yield Problem(Trouble.STALE, newest.name, age=now - newest.time, limit=limit)


def recovery_problems(
    plan: Plan, selection: Selection, snapshot: Snapshot, now: datetime
) -> Iterator[Problem]:
    """Find what an operator would lose who recovers the database from these checkpoints."""
    in_order = newest_first(selection.checkpoints, now)
    named_last, given_up = _named_last(in_order), _before_force(in_order)
    compared = {checkpoint.name for checkpoint in _compared(selection, given_up, now)}
    yield from _facts_gone([one for one in in_order if one.name in compared], snapshot)
    for decision in plan.decisions:
        trouble = _trouble(decision, named_last)
        if trouble is not None and decision.checkpoint.name not in given_up:
            yield Problem(
                trouble,
                snapshot.database,
                detail=decision.checkpoint.name,
                peer=decision.entry.peer_node_id,
                direction=decision.entry.direction,
                facts=decision.evidence.missing,
                awaits_approval=decision.peer is not None and decision.peer.awaits_approval,
            )


def _named_last(in_order: Sequence[Checkpoint]) -> set[str]:
    """Return the peers named in the newest checkpoint that was written without a loss, or since."""
    named: set[str] = set()
    for checkpoint in in_order:
        named.update(entry.peer_node_id for entry in checkpoint.entries)
        if checkpoint.settled:
            break
    return named


def _before_force(in_order: Sequence[Checkpoint]) -> frozenset[str]:
    """Return the names of the checkpoints whose losses were given up with ``--force``."""
    forced = (number for number, checkpoint in enumerate(in_order) if checkpoint.forced)
    last = next(forced, len(in_order))
    return frozenset(checkpoint.name for checkpoint in in_order[last + 1 :])


def _compared(
    selection: Selection, given_up: Collection[str], now: datetime
) -> Iterator[Checkpoint]:
    """Yield the checkpoints that export would compare the database with."""
    for found in selection.by_source.values():
        in_order = [one for one in newest_first(found, now) if one.name not in given_up]
        past = [one for one in in_order if not is_from_the_future(one, now)]
        future = [one for one in in_order if is_from_the_future(one, now)]
        yield from retention.compared(past, future)


def _facts_gone(checkpoints: Iterable[Checkpoint], snapshot: Snapshot) -> Iterator[Problem]:
    found: dict[NodeKey, Loss] = {}
    for checkpoint in checkpoints:
        for loss in losses(checkpoint, snapshot):
            if loss.is_false:
                found.setdefault(loss.key, loss)
    for loss in found.values():
        yield Problem(
            Trouble.FACTS_GONE,
            snapshot.database,
            detail=loss.checkpoint.name,
            peer=loss.peer.node_id,
            direction=loss.entry.direction,
            facts=loss.missing,
            awaits_approval=loss.peer.awaits_approval,
        )


def _trouble(decision: Decision, named_last: set[str]) -> Trouble | None:
    """Return why a position would not be back after an import."""
    if decision.outcome is Outcome.PEER_NOT_FOUND:
        # One that the newest checkpoint does not name was removed on purpose.
        expected = decision.entry.peer_status in (None, ACTIVE)
        removed = decision.entry.peer_node_id not in named_last
        return Trouble.PEER_NOT_FOUND if expected and not removed else None
    if decision.peer is None or decision.peer.dismissed:
        return None
    if decision.outcome is Outcome.WITHHELD:
        return Trouble.WITHHELD
    return Trouble.ON_TRUST if decision.evidence.proof is Proof.ON_TRUST else None
