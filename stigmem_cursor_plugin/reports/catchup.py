"""What ``cursor-catchup`` has done: in words, and as a document for a program."""

from collections.abc import Iterator, Sequence
from typing import Any

from stigmem_cursor_plugin.core.catchup import DELAYS, Ending, Progress, Result
from stigmem_cursor_plugin.core.choice import Choice
from stigmem_cursor_plugin.core.page import PageProblem, PageTrouble, UnstoredFact
from stigmem_cursor_plugin.core.snapshot import DISMISSED
from stigmem_cursor_plugin.reports.formatting import Group, duration, shown
from stigmem_cursor_plugin.terminal import MOST_LINES

RESULT_VERSION = 1

ANY_AGE = "info: facts of any age are taken while this runs"
BEFORE_APPROVAL = " before you approve it"
TABLE_MISSING = "info: the table replication_cursors is missing: creating it again"
RELAYS = (
    "this node relays facts (STIGMEM_FEDERATION_RELAY_ENABLED): nodes that pull from it would skip "
    "the older facts that --live stores; stop the node, then run this without --live"
)


def not_chosen(choice: Choice) -> Sequence[str]:
    """Return a line for each name of a peer that cannot be caught up with."""
    return [
        *(f"no peer {name} in this database" for name in choice.unknown),
        *(
            f"peer {peer.node_id} is {peer.status}; the node does not pull from it"
            f"{BEFORE_APPROVAL if peer.awaits_approval else ''}"
            for peer in choice.inactive
        ),
    ]


def summary(results: Sequence[Result], seconds: float, ending: Ending) -> str:
    """Return the last line."""
    done = [result for result in results if result.progress.caught_up]
    peers = f"{len(results)} peer(s)"
    if len(done) < len(results):
        peers = f"{len(done)} of {peers} caught up"
    parts = [
        peers,
        f"{_total(results, 'new'):,} fact(s) fetched",
        f"{_total(results, 'held'):,} already held",
    ]
    if rejected := _total(results, "rejected"):
        parts.append(f"{rejected:,} rejected")
    if refused := sum(len(result.progress.refused) for result in results):
        parts.append(f"{refused:,} passed over")
    line = f"catch-up {ending}: {', '.join(parts)}, in {duration(seconds)}"
    return f"{line}; run it again to go on" if ending is Ending.INTERRUPTED else line


def _total(results: Sequence[Result], name: str) -> int:
    return sum(getattr(result.progress, name) for result in results)


def groups(results: Sequence[Result]) -> Iterator[Group]:
    """Return what there is to say before the summary, grouped by what it is about."""
    yield from _group([_caught_up(result) for result in results if result.progress.caught_up])
    for result in results:
        yield from _group(
            [_not_stored(result, "rejected", fact) for fact in result.progress.named],
            result.progress.rejected,
        )
        yield from _group([_not_stored(result, "refused", f) for f in result.progress.refused])
    yield from _group(
        [
            f"warning: peer {result.peer.node_id}: not caught up: "
            f"{sentence(problem, result.progress)}"
            for result in results
            if (problem := result.progress.problem)
        ]
    )


def _group(found: Sequence[str], total: int = 0) -> Iterator[Group]:
    if found:
        yield Group(found[:MOST_LINES], max(total, len(found)))


def _caught_up(result: Result) -> str:
    progress = result.progress
    if progress.position is None:
        return f"info: peer {result.peer.node_id}: caught up, it offers no facts"
    return (
        f"info: peer {result.peer.node_id}: caught up to {shown(progress.position)}, "
        f"{progress.new:,} fact(s) fetched, {progress.held:,} already held"
    )


def _not_stored(result: Result, what: str, fact: UnstoredFact) -> str:
    return f"warning: peer {result.peer.node_id}: fact {fact.fact_id} {what}: {_reason(fact)}"


def sentence(problem: PageProblem, progress: Progress) -> str:
    """Return why a peer is not caught up, and what to do."""
    said = _SENTENCES[problem.trouble].format(
        detail=_detail(problem),
        tries=progress.attempts + 1,
        position=shown(progress.position),
        wait=f"{problem.retry_after or DELAYS[-1]:.0f} s",
        approval="" if problem.detail in (*DISMISSED, "removed") else BEFORE_APPROVAL,
    )
    return f"{said}; {_GONE}" if problem.trouble in _MAY_BE_GONE else said


def _detail(problem: PageProblem) -> str:
    if problem.trouble is PageTrouble.MOVED_BACK:
        return shown(problem.detail)
    return problem.detail or "no reason given"


_GONE = "if it is gone for good, set its status to revoked in the table peers"
# Whoever has its address now, such as a proxy, may answer in its place.
_MAY_BE_GONE = (
    PageTrouble.NO_ANSWER,
    PageTrouble.BAD_ANSWER,
    PageTrouble.SERVER_ERROR,
    PageTrouble.UNEXPECTED,
)


_SENTENCES = {
    PageTrouble.NO_ANSWER: (
        "no answer in {tries} attempts: {detail}; check that the peer is running, then run "
        "this again"
    ),
    PageTrouble.BAD_ANSWER: (
        "its answer is not a page of facts ({tries} attempts); ask its operator, then run "
        "this again"
    ),
    PageTrouble.SERVER_ERROR: (
        "it answered {detail} in {tries} attempts; ask its operator, then run this again"
    ),
    PageTrouble.BUSY: "it is too busy ({detail}); run this again in {wait}, with --pause",
    PageTrouble.DENIED: (
        "it refused this node ({detail}); check that the peer has this node registered and "
        "active, with its present key"
    ),
    PageTrouble.UNEXPECTED: (
        "it answered {detail} to a request for facts; check that the peer's node_url is right"
    ),
    PageTrouble.STANDS_STILL: (
        "it says that it has more facts, but gives no position after {position}; ask its operator"
    ),
    PageTrouble.WENT_BACK: (
        "it was asked for facts after {position}, and answered with an earlier position; ask its "
        "operator"
    ),
    PageTrouble.MOVED_BACK: (
        "another program set its position back to {detail}; run this again to go on from there"
    ),
    PageTrouble.REPEATED: "it gave the same page twice; ask its operator",
    PageTrouble.DROPPED: "this node's rules forbid its answer: {detail}",
    PageTrouble.NOT_ACTIVE: "it is {detail} now; the node does not pull from it{approval}",
    PageTrouble.NOT_ASKED: (
        "this node cannot ask it: {detail}; check its row in the table peers, and this node's "
        "federation keys"
    ),
    PageTrouble.ORIGIN_UNKNOWN: (
        "this node cannot verify the peer's facts: {detail}; start the peer with a valid manifest, "
        "then run this again; otherwise this node would skip them for ever"
    ),
    PageTrouble.FACT_REFUSED: "stopped at fact {detail}; --skip-refused goes on past it",
}


def document(
    results: Sequence[Result], seconds: float, ending: Ending, errors: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the result as one document (``schema/cursor-catchup-result.schema.json``)."""
    return {
        "version": RESULT_VERSION,
        "command": "cursor-catchup",
        "ending": ending,
        "errors": list(errors),
        "seconds": round(seconds, 3),
        "peers": [_peer_document(result) for result in results],
    }


def _peer_document(result: Result) -> dict[str, Any]:
    progress, problem = result.progress, result.progress.problem
    return {
        "peer_id": result.peer.id,
        "peer_node_id": result.peer.node_id,
        "caught_up": progress.caught_up,
        "trouble": problem.trouble if problem else None,
        "message": sentence(problem, progress) if problem else None,
        "previous": result.previous,
        "cursor": progress.position,
        "facts_fetched": progress.new,
        "facts_held": progress.held,
        "facts_rejected": progress.rejected,
        "rejected": [_fact_document(fact) for fact in progress.named],
        "refused": [_fact_document(fact) for fact in progress.refused],
    }


def _fact_document(fact: UnstoredFact) -> dict[str, str]:
    return {"fact_id": fact.fact_id, "reason": _reason(fact)}


def _reason(fact: UnstoredFact) -> str:
    return fact.reason or "the node's rules reject it"
