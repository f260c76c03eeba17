"""Which commands bring back what was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from stigmem_cursor_plugin.core import positions, recovery
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.cost import Repull
from stigmem_cursor_plugin.core.decision import Outcome
from stigmem_cursor_plugin.core.positions import Move
from stigmem_cursor_plugin.core.recovery import Plan
from stigmem_cursor_plugin.core.retention import Alarm
from stigmem_cursor_plugin.core.snapshot import Snapshot


class Remedy(Enum):
    """What brings back what was lost."""

    IMPORT = "import"
    IMPORT_WITH_FORCE = "import with force"
    """A position is set, and must move."""
    APPROVE = "approve"
    """A peer waits for approval, and cannot be asked before."""
    CATCH_UP = "catch up"
    """No checkpoint can be backed up: the facts have to be fetched."""


def remedies(
    found: Alarm, checkpoints: Sequence[Checkpoint], snapshot: Snapshot, now: datetime
) -> Sequence[Remedy]:
    """Return the commands that bring back what was lost, in their order.

    An import that would restore nothing is not among them, unless no peer is known any more: it
    says which have to register again. If no peer has the facts any more, no command brings them
    back: only giving them up ends the alarm.
    """
    if not found.losses:
        return [Remedy.IMPORT]
    lost = {loss.key: loss.entry.cursor for loss in found.losses}
    decisions = {
        key: decision
        for decision in recovery.plan(checkpoints, snapshot, now, force=True).decisions
        if decision.peer and (key := (decision.peer.node_id, decision.entry.direction)) in lost
    }
    restored = {
        key: decision.entry.cursor if decision.outcome is Outcome.RESTORED else None
        for key, decision in decisions.items()
    }
    steps = []
    if any(decision.moves for decision in decisions.values()):
        steps.append(Remedy.IMPORT_WITH_FORCE)
    elif any(restored[key] and not decision.previous for key, decision in decisions.items()):
        steps.append(Remedy.IMPORT)
    # Import may have only an older position that the database can back up, or none.
    if not steps or any(positions.move(lost[key], restored[key]) is Move.BACK for key in restored):
        steps.append(Remedy.CATCH_UP)
        if any(loss.peer.awaits_approval for loss in found.losses):
            steps.insert(0, Remedy.APPROVE)
    return steps


@dataclass(frozen=True, slots=True)
class WayOn:
    """What brings back what an import withholds, and how long it takes, in seconds.

    ``catch_up_seconds`` is for all peers, one after the other. The node's loop pulls from all at
    once: ``loop_seconds`` is for the one that takes longest. 0 where no checkpoint counts facts.
    """

    steps: Sequence[Remedy]
    catch_up_seconds: int
    loop_seconds: int


def way_on(plan: Plan, pull_interval: int) -> WayOn:
    """Return how to go on after an import that withholds something.

    *pull_interval* is the node's, in seconds.
    """
    in_doubt = [decision for decision in plan.decisions if decision.evidence.in_doubt]
    steps = [Remedy.CATCH_UP]
    if any(decision.leaves_false_position for decision in in_doubt):
        steps.insert(0, Remedy.IMPORT_WITH_FORCE)
    if any(decision.peer and decision.peer.awaits_approval for decision in in_doubt):
        steps.insert(0, Remedy.APPROVE)
    received = [decision.entry.received for decision in in_doubt]
    costs = [Repull(counted.facts, pull_interval) for counted in received if counted is not None]
    return WayOn(
        steps,
        sum(cost.catch_up_seconds for cost in costs),
        max((cost.seconds for cost in costs), default=0),
    )
