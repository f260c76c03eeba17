"""What an import would do or has done: in words, and as a document for a program."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stigmem_cursor_plugin.core import positions
from stigmem_cursor_plugin.core.decision import Decision, Outcome, Remark
from stigmem_cursor_plugin.core.recovery import Plan
from stigmem_cursor_plugin.core.remedies import Remedy, way_on
from stigmem_cursor_plugin.core.witness import Proof
from stigmem_cursor_plugin.reports.formatting import Group, apart, duration, shown
from stigmem_cursor_plugin.reports.program import Program
from stigmem_cursor_plugin.terminal import MOST_LINES, title_of

RESULT_VERSION = 1


@dataclass(frozen=True, slots=True)
class ImportReport:
    """An import, done or planned.

    ``pull_interval`` is the node's, in seconds; ``several`` checkpoints were given. A dry run sets
    ``running_node`` where the import itself would be refused. ``errors`` say why it failed, and its
    plan is empty then.
    """

    plan: Plan
    program: Program
    pull_interval: int
    several: bool
    dry_run: bool
    undo: str | None = None
    running_node: str | None = None
    errors: Sequence[str] = ()

    @property
    def _be(self) -> str:
        # A dry run speaks of what would be.
        return "would be " if self.dry_run else ""

    def summary(self) -> str:
        """Return the last line: the one of the host's runbook, and what else was skipped."""
        what = "dry run, nothing was changed" if self.dry_run else "cursor import complete"
        counts = self.plan.counts
        first, *rest = [
            f"{counts[outcome]} {words}"
            for outcome, words in _COUNTS.items()
            if outcome in _ALWAYS_COUNTED or counts[outcome]
        ]
        restored = first.replace("restored", f"{self._be}restored")
        return f"{what}: {', '.join([restored, *rest])}"

    def groups(self) -> Iterator[Group]:
        """Return what there is to say before the summary, grouped by what it is about."""
        if self.running_node is not None:
            yield Group([f"info: {self.running_node}; stop the node before the import"], 1)
        if self.plan.table_missing:
            again = "it would be created again" if self.dry_run else "creating it again"
            yield Group([f"info: the table replication_cursors is missing: {again}"], 1)
        found: dict[Remark, list[Decision]] = {}
        for decision in self.plan.decisions:
            for remark in decision.remarks(several=self.several):
                found.setdefault(remark, []).append(decision)
        for remark, decisions in found.items():
            lines = [self._line(remark, decision) for decision in decisions[:MOST_LINES]]
            yield Group(lines, len(decisions))
        if self.plan.withholds:
            ways = list(self._ways_on())
            yield Group(ways, len(ways))
        if self.undo is not None:
            back = "to go back, import it with --force"
            if self.plan.counts[Outcome.CLEARED]:
                back += ", and with --accept-loss for positions that were cleared"
            yield Group([f"undo checkpoint written: {self.undo}; {back}"], 1)

    def _line(self, remark: Remark, decision: Decision) -> str:
        entry = decision.entry
        kind = "warning" if remark in _WARNINGS else "info"
        said = _SENTENCES[remark](decision, self._be)
        return f"{kind}: peer {entry.peer_node_id} ({entry.direction}): {said}"

    def _ways_on(self) -> Iterator[str]:
        """Say how to get back what is missing, and how long each way takes."""
        way = way_on(self.plan, self.pull_interval)
        quick, slow = way.catch_up_seconds, way.loop_seconds
        catch_up = self.program.command("catchup")
        force = Remedy.IMPORT_WITH_FORCE in way.steps
        again = "this import again with --force, then " if force else ""
        approve = "approve the peers that wait for it, then " if Remedy.APPROVE in way.steps else ""
        takes = f" (about {duration(quick)})" if quick else ""
        yield f"info: next, {approve}run {again}{catch_up}{takes}; then start the node"
        yield (
            "info: or run the node with STIGMEM_FEDERATION_HLC_MAX_PAST_SKEW_S=0 "
            f"({f'about {duration(slow)}, ' if slow else ''}a page every {self.pull_interval} s)"
        )
        yield "info: or give up what is missing: import again with --accept-loss"

    def document(self) -> dict[str, Any]:
        """Return the plan or result (``schema/cursor-import-result.schema.json``)."""
        return {
            "version": RESULT_VERSION,
            "command": "cursor-import",
            "dry_run": self.dry_run,
            "errors": list(self.errors),
            "table_missing": self.plan.table_missing,
            "undo_checkpoint": self.undo,
            "running_node": self.running_node,
            **plan_document(self.plan),
        }


_COUNTS = {
    Outcome.RESTORED: "restored",
    Outcome.PEER_NOT_FOUND: "skipped (peer not found)",
    Outcome.ALREADY_SET: "skipped (already set)",
    Outcome.WITHHELD: "withheld (facts missing)",
    Outcome.CLEARED: "cleared (facts missing)",
    Outcome.NO_POSITION: "skipped (no position)",
}
_ALWAYS_COUNTED = (Outcome.RESTORED, Outcome.PEER_NOT_FOUND, Outcome.ALREADY_SET)


def _not_found(_: Decision, be: str) -> str:
    return (
        f"not found in the peers table, {be}skipped; have it register with this node (stigmem "
        "federation register-peer, run there), approve it, then run this import again"
    )


def _withheld(decision: Decision, be: str) -> str:
    stays = f"; it stays at {shown(decision.previous)}" if decision.previous else ""
    return f"{be}withheld, {_doubt(decision)}{stays}"


def _moved(decision: Decision, be: str) -> str:
    way = positions.move(decision.previous, decision.position).value
    before, after = apart(decision.previous, decision.position)
    return f"{be}moved {way}, from {before} to {after}"


def _renamed(decision: Decision, _: str) -> str:
    now = decision.peer and decision.peer.node_id
    return f"its peer id now belongs to {now}; check that this is the same peer"


def _registered_again(decision: Decision, be: str) -> str:
    return f"registered again, {be}restored under its new id {decision.peer and decision.peer.id}"


def _on_trust(_: Decision, __: str) -> str:
    return (
        "the checkpoint counts no facts, and the database holds none from this peer; if it ever "
        "held some, the node never fetches them: stop the node, delete the peer's inbound row in "
        "replication_cursors, then run cursor-catchup"
    )


_SENTENCES: Mapping[Remark, Callable[[Decision, str], str]] = {
    Remark.PEER_NOT_FOUND: _not_found,
    Remark.ALREADY_SET: lambda _, be: f"already set, {be}skipped; --force overwrites it",
    Remark.FALSE: lambda d, _: f"already set, but {_doubt(d)}; --force empties it",
    Remark.NO_POSITION: lambda _, be: f"no position in the checkpoint, {be}skipped",
    Remark.WITHHELD: _withheld,
    Remark.CLEARED: lambda d, be: f"{be}cleared, {_doubt(d)}; it was {shown(d.previous)}",
    Remark.RENAMED: _renamed,
    Remark.REGISTERED_AGAIN: _registered_again,
    Remark.MOVED: _moved,
    Remark.LOSS_ACCEPTED: lambda d, be: (
        f"{be}restored, though {_doubt(d)}; the node never fetches them"
    ),
    Remark.ON_TRUST: _on_trust,
    Remark.FROM: lambda d, _: f"from {title_of(d.checkpoint.name)}",
}
_WARNINGS = frozenset(
    (
        Remark.PEER_NOT_FOUND,
        Remark.FALSE,
        Remark.WITHHELD,
        Remark.CLEARED,
        Remark.RENAMED,
        Remark.LOSS_ACCEPTED,
        Remark.ON_TRUST,
    )
)


def _doubt(decision: Decision) -> str:
    evidence, received = decision.evidence, decision.entry.received
    match evidence.proof:
        case Proof.NOT_RECEIVED:
            return (
                "the checkpoint counts no facts, and nothing shows that the newest ones are there"
            )
        case Proof.REGISTERED_AGAIN:
            return "the checkpoint counts no facts, and the database holds none from this peer"
        case Proof.OTHER_NODE:
            return "the checkpoint counts no facts, and seems to be another node's"
        case Proof.RELAYS_NOT_COUNTED:
            return "this node takes relayed or pushed facts, and the checkpoint does not count them"
        case _:
            total = received.facts if received else 0
            return f"{evidence.missing:,} of {total:,} fact(s) are missing from the database"


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return the counts and the decisions of a plan as JSON values."""
    return {
        "counts": {outcome.value: number for outcome, number in plan.counts.items()},
        "cursors": [_decision_document(decision) for decision in plan.decisions],
    }


def _decision_document(decision: Decision) -> dict[str, Any]:
    entry, peer = decision.entry, decision.peer
    return {
        "peer_id": peer.id if peer else None,
        "peer_node_id": peer.node_id if peer else entry.peer_node_id,
        "direction": entry.direction,
        "outcome": decision.outcome.value,
        "registered_again": decision.registered_again,
        "checkpoint": decision.checkpoint.name,
        "cursor": entry.cursor,
        "previous": decision.previous,
        "proof": decision.evidence.proof.value,
        "facts_held": decision.evidence.held,
        "facts_missing": decision.evidence.missing,
    }
