"""What an import would do or has done: in words, and as a document for a program."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from stigmem_cursor_plugin.core import positions
from stigmem_cursor_plugin.core.recovery import Decision, Outcome, Plan
from stigmem_cursor_plugin.reports.formatting import Repull
from stigmem_cursor_plugin.terminal import MOST_LINES

RESULT_VERSION = 1


class Group(NamedTuple):
    """The first few lines about one thing, and how many there are in all."""

    lines: Sequence[str]
    total: int


def summary(plan: Plan, *, dry_run: bool = False) -> str:
    """Return the documented last line (runbook, Step 4), with what else was skipped or withheld."""
    what = "dry run, nothing was changed" if dry_run else "cursor import complete"
    line = (
        f"{what}: {plan.count(Outcome.RESTORED)} restored, "
        f"{plan.count(Outcome.PEER_NOT_FOUND)} skipped (peer not found), "
        f"{plan.count(Outcome.ALREADY_SET)} skipped (already set)"
    )
    if withheld := plan.count(Outcome.FACTS_MISSING):
        line += f", {withheld} withheld (facts missing)"
    if empty := plan.count(Outcome.NO_POSITION):
        line += f", {empty} skipped (no position)"
    return line


def lines(plan: Plan, names: Sequence[str], pull_interval: int) -> Iterator[Group]:
    """Return what there is to say before the summary, grouped by what it is about.

    *names* are those of the checkpoints; *pull_interval* is the node's, in seconds.
    """
    if plan.table_missing:
        yield Group(["info: the table replication_cursors is missing: creating it again"], 1)
    found: dict[str, list[Decision]] = {}
    for decision in plan.decisions:
        for kind in _kinds(decision, several=len(names) > 1):
            found.setdefault(kind, []).append(decision)
    for kind, decisions in found.items():
        # There may be a hundred thousand, and only the first few are ever shown.
        shown = [_line(kind, item, names, pull_interval) for item in decisions[:MOST_LINES]]
        yield Group(shown, len(decisions))


def _kinds(decision: Decision, *, several: bool) -> Sequence[str]:
    """Return what there is to say of a decision."""
    outcome, _, entry, peer, previous, _, _ = decision
    if outcome is not Outcome.RESTORED:
        return [outcome.value]
    kinds = []
    if peer is not None and peer.node_id != entry.peer_node_id:
        kinds.append("renamed")
    elif decision.reregistered:
        kinds.append("registered")
    if previous is not None and previous != entry.cursor:
        kinds.append("moved")
    if decision.unproven:
        kinds.append("unproven")
    if several:
        kinds.append("from")
    return kinds


def _line(kind: str, decision: Decision, names: Sequence[str], pull_interval: int) -> str:
    entry, peer = decision.entry, decision.peer
    who = f"peer {entry.peer_node_id} ({entry.direction})"
    match kind:
        case Outcome.PEER_NOT_FOUND.value:
            return f"warning: {who}: {_not_found(entry.peer_id)}"
        case Outcome.ALREADY_SET.value:
            return f"info: {who}: already set, skipped; --force overwrites it"
        case Outcome.NO_POSITION.value:
            return f"info: {who}: no position in the checkpoint, skipped"
        case Outcome.FACTS_MISSING.value:
            return f"warning: {who}: {_withheld(decision, pull_interval)}"
        case "renamed":
            return f"warning: {who}: the peer with this id is now {peer and peer.node_id}"
        case "registered":
            return f"info: {who}: registered again, restored under its new id {peer and peer.id}"
        case "moved":
            return f"info: {who}: {_moved(decision.previous or '', entry.cursor)}"
        case "unproven":
            return f"warning: {who}: {_unproven(decision)}"
        case _:
            return f"info: {who}: from {names[decision.checkpoint]}"


def _not_found(peer_id: str) -> str:
    return (
        f"not found in the peers table under its id {peer_id} or its node id, skipped; register "
        "it again (stigmem federation register-peer), then run this import again"
    )


def _withheld(decision: Decision, pull_interval: int) -> str:
    received = decision.entry.received
    total = received.facts if received else 0
    if decision.previous is None:
        cost = (
            f"the node fetches {Repull(total, pull_interval)}; for that time set "
            "STIGMEM_FEDERATION_HLC_MAX_PAST_SKEW_S=0"
        )
    else:
        cost = f"the cursor stays at {positions.shown(decision.previous)}"
    return (
        f"withheld, {decision.missing:,} of {total:,} facts are missing from the database; "
        f"{cost}; --accept-loss restores the position and gives these facts up"
    )


def _moved(before: str, after: str | None) -> str:
    way = positions.direction_of_move(before, after)
    return f"moved {way}, from {positions.shown(before)} to {positions.shown(after)}"


def _unproven(decision: Decision) -> str:
    if decision.missing:
        return (
            f"restored although {decision.missing:,} facts are missing from the database; "
            "the node will never fetch them"
        )
    return (
        "the checkpoint does not count facts, and the database holds none from this peer; "
        "facts that it once held will never be fetched again"
    )


def document(
    plan: Plan, names: Sequence[str], *, dry_run: bool, undo: str | None
) -> dict[str, Any]:
    """Return the plan or result as one document (``schema/cursor-import-result.schema.json``)."""
    return {
        "version": RESULT_VERSION,
        "command": "cursor-import",
        "dry_run": dry_run,
        "table_missing": plan.table_missing,
        "undo_checkpoint": undo,
        **plan_document(plan, names),
    }


def plan_document(plan: Plan, names: Sequence[str]) -> dict[str, Any]:
    """Return the counts and the decisions of a plan as JSON values."""
    return {
        "counts": {outcome.value: plan.count(outcome) for outcome in Outcome},
        "cursors": [_decision_document(decision, names) for decision in plan.decisions],
    }


def _decision_document(decision: Decision, names: Sequence[str]) -> dict[str, Any]:
    entry, peer = decision.entry, decision.peer
    return {
        "peer_id": peer.id if peer else None,
        "peer_node_id": peer.node_id if peer else entry.peer_node_id,
        "direction": entry.direction,
        "outcome": decision.outcome.value,
        "registered_again": decision.reregistered,
        "checkpoint": names[decision.checkpoint],
        "cursor": entry.cursor,
        "previous": decision.previous,
        "facts_held": decision.held,
        "facts_missing": decision.missing,
    }
