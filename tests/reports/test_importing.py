"""Every sentence that an import says of a position, and of what to do next."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest

from stigmem_cursor_plugin.core.checkpoint import Entry
from stigmem_cursor_plugin.core.decision import Decision, Outcome, Remark
from stigmem_cursor_plugin.core.recovery import Plan
from stigmem_cursor_plugin.core.snapshot import Received
from stigmem_cursor_plugin.core.witness import NOT_NEEDED, Evidence, Proof
from stigmem_cursor_plugin.reports.importing import ImportReport
from stigmem_cursor_plugin.reports.program import Program
from tests.snapshots import checkpoint_of, entry, peer

OLD, NEW = "1725349400000.0", "1725349500000.005"
COUNTED = entry(NEW, Received(512, "f512"))
UNCOUNTED = entry(NEW)
LACKING = Evidence(Proof.FACTS_MISSING, held=500, missing=12)
NOT_RECEIVED = Evidence(Proof.NOT_RECEIVED, held=500)
REGISTERED_AGAIN = Evidence(Proof.REGISTERED_AGAIN)
RELAYS_NOT_COUNTED = Evidence(Proof.RELAYS_NOT_COUNTED, held=512)
ON_TRUST = Evidence(Proof.ON_TRUST)


class Case(NamedTuple):
    """A decision, and what is said of it, where ``{be}`` is ``would be `` in a dry run."""

    outcome: Outcome
    entry: Entry
    evidence: Evidence
    said: Sequence[str]
    previous: str | None = None
    peer_id: str | None = "b"


def decision(case: Case) -> Decision:
    """Return the decision of a case."""
    found = peer(case.peer_id) if case.peer_id else None
    return Decision(
        case.outcome, checkpoint_of(case.entry), case.entry, found, case.previous, case.evidence
    )


def report(*decisions: Decision, dry_run: bool = False, several: bool = False) -> ImportReport:
    """Return the report of an import with these decisions, of a node with the usual interval."""
    plan = Plan(decisions, table_missing=False)
    return ImportReport(plan, Program(), pull_interval=30, several=several, dry_run=dry_run)


def said(of: ImportReport) -> list[str]:
    """Return every line before the summary."""
    return [line for group in of.groups() for line in group.lines]


CASES = {
    "facts missing": Case(
        Outcome.WITHHELD,
        COUNTED,
        LACKING,
        ["warning: {}: {be}withheld, 12 of 512 fact(s) are missing from the database"],
    ),
    "facts missing, the position stays": Case(
        Outcome.WITHHELD,
        COUNTED,
        LACKING,
        [
            "warning: {}: {be}withheld, 12 of 512 fact(s) are missing from the database; it stays "
            "at 2024-09-03T07:43:20Z"
        ],
        previous=OLD,
    ),
    "already set, and false": Case(
        Outcome.ALREADY_SET,
        COUNTED,
        LACKING,
        [
            "warning: {}: already set, but 12 of 512 fact(s) are missing from the database; "
            "--force empties it"
        ],
        previous=NEW,
    ),
    "not received": Case(
        Outcome.WITHHELD,
        UNCOUNTED,
        NOT_RECEIVED,
        [
            "warning: {}: {be}withheld, the checkpoint counts no facts, and nothing shows that the "
            "newest ones are there"
        ],
    ),
    "registered again, nothing counted": Case(
        Outcome.WITHHELD,
        UNCOUNTED,
        REGISTERED_AGAIN,
        [
            "warning: {}: {be}withheld, the checkpoint counts no facts, and the database holds "
            "none from this peer"
        ],
        peer_id="new",
    ),
    "relays not counted": Case(
        Outcome.WITHHELD,
        COUNTED,
        RELAYS_NOT_COUNTED,
        [
            "warning: {}: {be}withheld, this node takes relayed or pushed facts, and the "
            "checkpoint does not count them"
        ],
    ),
    "cleared": Case(
        Outcome.CLEARED,
        COUNTED,
        LACKING,
        [
            "warning: {}: {be}cleared, 12 of 512 fact(s) are missing from the database; it was "
            "2024-09-03T07:45:00Z"
        ],
        previous=NEW,
    ),
    "restored": Case(Outcome.RESTORED, COUNTED, Evidence(Proof.COUNTED, 512), []),
    "restored, received": Case(Outcome.RESTORED, UNCOUNTED, Evidence(Proof.RECEIVED, 512), []),
    "restored, outbound": Case(
        Outcome.RESTORED, replace(UNCOUNTED, direction="outbound"), NOT_NEEDED, []
    ),
    "restored, nothing moves": Case(
        Outcome.RESTORED, COUNTED, Evidence(Proof.COUNTED, 512), [], previous=NEW
    ),
    "moved forward": Case(
        Outcome.RESTORED,
        COUNTED,
        Evidence(Proof.COUNTED, 512),
        ["info: {}: {be}moved forward, from 2024-09-03T07:43:20Z to 2024-09-03T07:45:00Z"],
        previous=OLD,
    ),
    "moved back": Case(
        Outcome.RESTORED,
        replace(COUNTED, cursor=OLD),
        Evidence(Proof.COUNTED, 512),
        ["info: {}: {be}moved back, from 2024-09-03T07:45:00Z to 2024-09-03T07:43:20Z"],
        previous=NEW,
    ),
    "under a new id": Case(
        Outcome.RESTORED,
        COUNTED,
        Evidence(Proof.COUNTED, 512),
        ["info: {}: registered again, {be}restored under its new id new"],
        peer_id="new",
    ),
    "renamed": Case(
        Outcome.RESTORED,
        replace(COUNTED, peer_node_id="stigmem://old"),
        Evidence(Proof.COUNTED, 512),
        [
            "warning: peer stigmem://old (inbound): its peer id now belongs to stigmem://node-b; "
            "check that this is the same peer",
        ],
    ),
    "on trust": Case(
        Outcome.RESTORED,
        UNCOUNTED,
        ON_TRUST,
        [
            "warning: {}: the checkpoint counts no facts, and the database holds none from this "
            "peer; if it ever held some, the node never fetches them: stop the node, delete the "
            "peer's inbound row in replication_cursors, then run cursor-catchup"
        ],
    ),
    "loss accepted": Case(
        Outcome.RESTORED,
        COUNTED,
        LACKING,
        [
            "warning: {}: {be}restored, though 12 of 512 fact(s) are missing from the database; "
            "the node never fetches them"
        ],
    ),
    "loss accepted, under a new id, moved": Case(
        Outcome.RESTORED,
        UNCOUNTED,
        REGISTERED_AGAIN,
        [
            "info: {}: registered again, {be}restored under its new id new",
            "info: {}: {be}moved forward, from 2024-09-03T07:43:20Z to 2024-09-03T07:45:00Z",
            "warning: {}: {be}restored, though the checkpoint counts no facts, and the database "
            "holds none from this peer; the node never fetches them",
        ],
        previous=OLD,
        peer_id="new",
    ),
    "peer not found": Case(
        Outcome.PEER_NOT_FOUND,
        COUNTED,
        NOT_NEEDED,
        [
            "warning: {}: not found in the peers table, {be}skipped; have it register "
            "with this node (stigmem federation register-peer, run there), approve it, then run "
            "this import again"
        ],
        peer_id=None,
    ),
    "already set": Case(
        Outcome.ALREADY_SET,
        COUNTED,
        NOT_NEEDED,
        ["info: {}: already set, {be}skipped; --force overwrites it"],
        previous=OLD,
    ),
    "no position": Case(
        Outcome.NO_POSITION,
        entry(None),
        NOT_NEEDED,
        ["info: {}: no position in the checkpoint, {be}skipped"],
    ),
}
WAYS = 3
"""Lines after those of the positions, where one is withheld."""


@pytest.mark.parametrize("dry_run", [False, True], ids=["done", "dry run"])
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_sentence(case: Case, *, dry_run: bool) -> None:
    """Each thing that can become of a position is said in these words, and nothing else is."""
    given = report(decision(case), dry_run=dry_run)
    withheld = given.plan.withholds
    words = {"be": "would be " if dry_run else ""}
    expected = [line.format("peer stigmem://node-b (inbound)", **words) for line in case.said]
    assert (said(given)[:-WAYS] if withheld else said(given)) == expected


def test_every_remark_has_a_case() -> None:
    """Nothing can be said of a position that is not among the cases, but which file it is from."""
    found = {remark for case in CASES.values() for remark in decision(case).remarks(several=False)}
    assert found == set(Remark) - {Remark.FROM}


@pytest.mark.parametrize(("name", "title"), [("c/12.json", "c/12.json"), ("-", "standard input")])
def test_which_checkpoint(name: str, title: str) -> None:
    """Of several checkpoints the one that a position is from is named; of one it is not."""
    given = decision(CASES["restored"])
    given = replace(given, checkpoint=replace(given.checkpoint, name=name))
    assert said(report(given, several=True)) == [
        f"info: peer stigmem://node-b (inbound): from {title}"
    ]
    assert said(report(given)) == []


@pytest.mark.parametrize(
    ("entries", "quick", "slow"),
    [
        ([COUNTED], " (about 1 s)", "about 3 min, "),
        ([entry(NEW, Received(500_000, "f"))], " (about 10 min)", "about 42 h, "),
        ([COUNTED, entry(NEW, Received(500_000, "f"))], " (about 10 min)", "about 42 h, "),
        ([UNCOUNTED], "", ""),
    ],
    ids=["counted", "many", "both", "not counted"],
)
@pytest.mark.parametrize("name", ["facts missing", "cleared"])
def test_ways_on(entries: Sequence[Entry], quick: str, slow: str, name: str) -> None:
    """After withheld positions come the ways on; how long each takes, if that can be told."""
    decisions = [replace(decision(CASES[name]), entry=given) for given in entries]
    assert said(report(*decisions))[-WAYS:] == [
        f"info: next, run `stigmem federation cursor-catchup`{quick}; then start the node",
        "info: or run the node with STIGMEM_FEDERATION_HLC_MAX_PAST_SKEW_S=0 "
        f"({slow}a page every 30 s)",
        "info: or give up what is missing: import again with --accept-loss",
    ]


def test_ways_on_where_a_peer_waits_for_approval() -> None:
    """Nobody can fetch from it before it is approved."""
    withheld = decision(CASES["facts missing"])
    waits = replace(withheld, peer=peer(status="pending_approval"))
    assert said(report(withheld, waits))[-WAYS] == (
        "info: next, approve the peers that wait for it, then run `stigmem federation "
        "cursor-catchup` (about 2 s); then start the node"
    )


def test_ways_on_from_a_false_position() -> None:
    """A position that is set must be emptied first: catch-up alone would go on after it."""
    assert said(report(decision(CASES["already set, and false"])))[-WAYS] == (
        "info: next, run this import again with --force, then `stigmem federation cursor-catchup` "
        "(about 1 s); then start the node"
    )


@pytest.mark.parametrize(
    ("names", "summary"),
    [
        ([], "0 restored, 0 skipped (peer not found), 0 skipped (already set)"),
        (["restored"], "1 restored, 0 skipped (peer not found), 0 skipped (already set)"),
        (
            ["peer not found", "already set", "already set", "on trust"],
            "1 restored, 1 skipped (peer not found), 2 skipped (already set)",
        ),
        (
            ["cleared", "no position", "not received", "facts missing"],
            "0 restored, 0 skipped (peer not found), 0 skipped (already set), "
            "2 withheld (facts missing), 1 cleared (facts missing), 1 skipped (no position)",
        ),
    ],
)
def test_summary(names: Sequence[str], summary: str) -> None:
    """The last line is the documented one, and counts what else there was behind it."""
    decisions = [decision(CASES[name]) for name in names]
    assert report(*decisions).summary() == f"cursor import complete: {summary}"
    assert report(*decisions, dry_run=True).summary() == (
        f"dry run, nothing was changed: {summary.replace('restored', 'would be restored')}"
    )


@pytest.mark.parametrize(
    ("dry_run", "again"), [(False, "creating it again"), (True, "it would be created again")]
)
def test_missing_table(again: str, *, dry_run: bool) -> None:
    """A table that was missing is told first."""
    given = report(decision(CASES["on trust"]), dry_run=dry_run)
    told = said(replace(given, plan=replace(given.plan, table_missing=True)))
    assert told == [
        f"info: the table replication_cursors is missing: {again}",
        *said(given),
    ]


def test_running_node() -> None:
    """A dry run beside the running node says what the import itself would say, before all else."""
    given = report(decision(CASES["on trust"]), dry_run=True)
    running = replace(given, running_node="node stigmem://node-a is running at 127.0.0.1:8765")
    assert said(running) == [
        "info: node stigmem://node-a is running at 127.0.0.1:8765; stop the node before the import",
        *said(given),
    ]
