"""Whether a checkpoint or a database is fit to recover from: pure, like ``recovery``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stigmem_cursor_plugin.checkpoints.reading import Source
from stigmem_cursor_plugin.core import positions, recovery
from stigmem_cursor_plugin.core.checkpoint import INBOUND
from stigmem_cursor_plugin.core.recovery import Outcome, Plan
from stigmem_cursor_plugin.core.snapshot import Peer, Snapshot

ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class PeerFitness:
    """One peer in one direction: its position, and the facts that losing it would cost."""

    peer: Peer
    direction: str
    position: str | None
    facts: int

    @property
    def lost(self) -> bool:
        """An active peer sent facts, and how far it got is not known."""
        return self.peer.status == ACTIVE and self.facts > 0 and self.position is None

    def age(self, now: datetime) -> timedelta | None:
        """Return how long ago the position is, where it can be read."""
        time = positions.time_of(self.position)
        return now - time if time else None


@dataclass(frozen=True, slots=True)
class DatabaseFitness:
    """A database: every peer in every direction it has a cursor for, inbound at least."""

    name: str
    node_id: str | None
    table_missing: bool
    peers: Sequence[PeerFitness]

    @property
    def problems(self) -> Sequence[str]:
        """What an operator has to do something about."""
        if self.table_missing:
            return [
                f"{self.name}: the table replication_cursors is missing; stop the node and run "
                "`stigmem federation cursor-import FILE`"
            ]
        return [
            f"{self.name}: peer {item.peer.node_id} ({item.direction}): {item.facts:,} facts "
            "received, but no position; stop the node and run `stigmem federation cursor-import "
            "FILE`"
            for item in self.peers
            if item.lost
        ]


def judge_database(name: str, snapshot: Snapshot) -> DatabaseFitness:
    """Return how fit a database is."""
    return DatabaseFitness(name, snapshot.node_id, snapshot.cursors is None, list(_peers(snapshot)))


def _peers(snapshot: Snapshot) -> Iterator[PeerFitness]:
    cursors = snapshot.cursors or {}
    directions: dict[str, set[str]] = {}
    for peer_id, direction in cursors:
        directions.setdefault(peer_id, set()).add(direction)
    for peer in sorted(snapshot.peers, key=lambda peer: peer.node_id):
        for direction in sorted({INBOUND} | directions.get(peer.id, set())):
            cursor = cursors.get((peer.id, direction))
            facts = snapshot.received_from(peer).facts if direction == INBOUND else 0
            yield PeerFitness(peer, direction, cursor.position if cursor else None, facts)


def foreign_problems(found: Sequence[Source], snapshot: Snapshot) -> Sequence[str]:
    """Return which checkpoints another node wrote."""
    read = [(item.name, item.checkpoint) for item in found if item.checkpoint]
    return [
        f"{read[number][0]}: the checkpoint of node {read[number][1].node_id}, and this database "
        f"is that of {snapshot.node_id}"
        for number in recovery.foreign([taken for _, taken in read], snapshot)
    ]


def import_problems(plan: Plan) -> Sequence[str]:
    """Return what would keep an import from restoring a position."""
    return [
        f"peer {decision.entry.peer_node_id} ({decision.entry.direction}): "
        f"import would withhold the position: {decision.missing:,} facts are missing from the "
        "database"
        for decision in plan.decisions
        if decision.outcome is Outcome.FACTS_MISSING
    ]
