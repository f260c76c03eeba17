"""What keeps a database or a backup from being fit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stigmem_cursor_plugin.core import findings, recovery
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.findings import Findings, PeerState
from stigmem_cursor_plugin.core.problem import Problem, Trouble
from stigmem_cursor_plugin.core.selection import Selection, select
from stigmem_cursor_plugin.core.snapshot import Cursor, Received, Snapshot
from tests.snapshots import NODE_A, NODE_B, checkpoint_of, entry, peer, snapshot

NOW = datetime(2026, 5, 3, tzinfo=UTC)
POSITION = "200.0"
COUNTED = Received(5, "f5")


def of_database(database: Snapshot) -> list[Problem]:
    """Return what a database alone shows."""
    return list(findings.database_problems(findings.state_of(database)))


def of_recovery(database: Snapshot, *checkpoints: Checkpoint) -> list[Problem]:
    """Return what would be lost by a recovery from these checkpoints."""
    return of_directories(database, *([checkpoint] for checkpoint in checkpoints))


def of_directories(database: Snapshot, *directories: Sequence[Checkpoint]) -> list[Problem]:
    """Return what would be lost by a recovery from the checkpoints of these directories."""
    by_source = {str(number): found for number, found in enumerate(directories)}
    selection = Selection(by_source, [], [])
    plan = recovery.plan(selection.checkpoints, database, NOW)
    return list(findings.recovery_problems(plan, selection, database, NOW))


@pytest.mark.parametrize(
    ("database", "lost"),
    [
        (snapshot(held=1), True),
        (snapshot(held=1, position=POSITION), False),
        (snapshot(), False),
        (snapshot(peers=(peer(status="revoked"),), held=1), False),
    ],
    ids=["facts", "position", "nothing received", "revoked"],
)
def test_position_lost(database: Snapshot, lost: bool) -> None:
    """An active peer that sent facts and has no position is a problem."""
    expected = Problem(Trouble.POSITION_LOST, "s.db", peer=NODE_B, direction="inbound", facts=1)
    assert of_database(database) == ([expected] if lost else [])


def test_missing_table_is_one_problem() -> None:
    """A missing table is named once, and not for each peer."""
    assert of_database(snapshot(table=False, held=1)) == [Problem(Trouble.TABLE_MISSING, "s.db")]


def test_peers_are_shown_in_every_direction() -> None:
    """A peer is shown inbound at least, and facts count inbound only."""
    sent = [Cursor("b", direction, POSITION, "t") for direction in ("outbound", "a direction")]
    database = replace(snapshot(held=3), cursors={cursor.key: cursor for cursor in sent})
    state = findings.state_of(database)
    assert (state.name, state.node_id, state.table_missing) == ("s.db", NODE_A, False)
    assert list(state.peers) == [
        PeerState(peer(), "a direction", POSITION, 0),
        PeerState(peer(), "inbound", None, 3),
        PeerState(peer(), "outbound", POSITION, 0),
    ]


def test_age_of_a_position() -> None:
    """The age is that of the position's clock; an opaque one has none."""
    moment = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    assert PeerState(peer(), "inbound", "1000.0", 0).age(moment) == timedelta(seconds=59)
    assert PeerState(peer(), "inbound", "opaque", 0).age(moment) is None
    assert PeerState(peer(), "inbound", None, 0).age(moment) is None


def test_fit() -> None:
    """What import restores, or what is set on facts that are there, is fit."""
    checkpoint = checkpoint_of(entry(POSITION, COUNTED))
    assert of_recovery(snapshot(held=5), checkpoint) == []
    assert of_recovery(snapshot(held=9, position="300.0"), checkpoint) == []
    assert of_recovery(snapshot(held=3, position="100.0"), checkpoint) == []


def test_withheld() -> None:
    """A position that import would withhold is a problem, with the facts that are missing."""
    assert of_recovery(snapshot(held=3), checkpoint_of(entry(POSITION, COUNTED))) == [
        Problem(
            Trouble.WITHHELD, "s.db", detail="12.json", peer=NODE_B, direction="inbound", facts=2
        )
    ]
    for status, expected in (("revoked", 0), ("rejected", 0), ("pending_approval", 1)):
        database = snapshot(peers=(peer(status=status),), held=3)
        found = of_recovery(database, checkpoint_of(entry(POSITION, COUNTED)))
        assert [problem.trouble for problem in found] == [Trouble.WITHHELD] * expected


def test_on_trust() -> None:
    """A position that nothing shows to be true is a problem."""
    (problem,) = of_recovery(snapshot(), checkpoint_of(entry(POSITION)))
    assert problem.trouble is Trouble.ON_TRUST


def test_facts_gone() -> None:
    """A position at or past one whose facts are missing is a problem, each peer once."""
    old, new = (
        checkpoint_of(entry("150.0", Received(4, "f4")), hour=1),
        checkpoint_of(entry(POSITION, COUNTED)),
    )
    (problem,) = of_recovery(snapshot(held=3, position=POSITION), old, new)
    assert problem == Problem(
        Trouble.FACTS_GONE, "s.db", detail="12.json", peer=NODE_B, direction="inbound", facts=2
    )


def test_what_a_directory_has_settled() -> None:
    """Of a directory, no checkpoint counts that is older than one written while nothing was lost.

    Export does not compare with it either; a file of its own counts.
    """
    database = snapshot(held=3, position=POSITION)
    old = checkpoint_of(entry("150.0", Received(4, "f4")), hour=1)
    new = checkpoint_of(entry(POSITION, Received(3, "f3")), hour=2)
    assert of_directories(database, [old, new]) == []
    (problem,) = of_directories(database, [old], [new])
    assert (problem.trouble, problem.detail) == (Trouble.FACTS_GONE, "1.json")
    (problem,) = of_directories(database, [old, replace(new, after_loss=True)])
    assert (problem.trouble, problem.detail) == (Trouble.FACTS_GONE, "1.json")


def test_dated_in_the_future() -> None:
    """A checkpoint dated in the future may be newer than one written while nothing was lost.

    Export compares with it too, unless all before was given up.
    """
    database = snapshot(held=3, position=POSITION)
    settled = checkpoint_of(entry(POSITION, Received(3, "f3")), hour=1)
    future = replace(
        checkpoint_of(entry(POSITION, COUNTED), hour=2), timestamp="2999-05-02T12:00:00Z"
    )
    (problem,) = of_directories(database, [settled, future])
    assert (problem.trouble, problem.detail) == (Trouble.FACTS_GONE, "2.json")
    assert of_directories(database, [replace(settled, forced=True), future]) == []


def test_what_was_given_up_is_not_withheld() -> None:
    """A position before a forced checkpoint, whose facts nobody has, is no problem any more."""
    old = checkpoint_of(entry(POSITION, COUNTED), hour=1)
    forced = replace(checkpoint_of(), forced=True)
    assert of_recovery(snapshot(held=3), old, forced) == []
    again = replace(forced, entries=(entry(POSITION, COUNTED),))
    (problem,) = of_recovery(snapshot(held=3), old, again)
    assert (problem.trouble, problem.detail) == (Trouble.WITHHELD, again.name)
    assert of_recovery(snapshot(held=3), old, again, checkpoint_of(hour=13)) == [problem]
    later = checkpoint_of(entry(POSITION, COUNTED), hour=13)
    (problem,) = of_recovery(snapshot(held=3), old, forced, later)
    assert (problem.trouble, problem.detail) == (Trouble.WITHHELD, "13.json")


def test_a_peer_that_waits() -> None:
    """A peer that is not approved yet cannot be asked for what is missing."""
    waiting = peer(status="pending_approval")
    for position in (None, POSITION):
        database = snapshot(peers=(waiting,), held=3, position=position)
        (problem,) = of_recovery(database, checkpoint_of(entry(POSITION, COUNTED)))
        assert problem.awaits_approval


def test_facts_given_up_are_no_problem() -> None:
    """What was lost before a forced checkpoint was given up."""
    old = checkpoint_of(entry("150.0", COUNTED), hour=1)
    forced = replace(checkpoint_of(entry(POSITION, Received(3, "f3"))), forced=True)
    assert of_recovery(snapshot(held=3, position=POSITION), old, forced) == []
    (kept,) = of_recovery(snapshot(held=3, position=POSITION), old, replace(forced, forced=False))
    assert kept.trouble is Trouble.FACTS_GONE


@pytest.mark.parametrize(("status", "expected"), [(None, 1), ("active", 1), ("revoked", 0)])
def test_empty_database(status: str | None, expected: int) -> None:
    """A database without the peers of the newest checkpoint is not fit."""
    named = replace(entry(POSITION, COUNTED), peer_status=status)
    found = of_recovery(snapshot(peers=()), checkpoint_of(named))
    assert [problem.trouble for problem in found] == [Trouble.PEER_NOT_FOUND] * expected


def test_removed_peer() -> None:
    """A peer that only older checkpoints name was removed on purpose."""
    gone = replace(entry(POSITION, COUNTED), peer_node_id="stigmem://gone", peer_id="gone")
    old, new = checkpoint_of(gone, hour=1), checkpoint_of(entry(POSITION, COUNTED), hour=2)
    assert of_recovery(snapshot(held=5), old, new) == []
    both = checkpoint_of(gone, entry(POSITION, COUNTED), hour=3)
    (problem,) = of_recovery(snapshot(held=5), old, new, both)
    assert (problem.trouble, problem.peer) == (Trouble.PEER_NOT_FOUND, "stigmem://gone")


def test_written_after_the_loss() -> None:
    """A peer that a checkpoint lacks which was written after a loss was not removed on purpose."""
    good = checkpoint_of(entry(POSITION, COUNTED), hour=1)
    empty = replace(checkpoint_of(hour=2), after_loss=True)
    (problem,) = of_recovery(snapshot(peers=()), good, empty)
    assert problem.trouble is Trouble.PEER_NOT_FOUND
    (problem,) = of_recovery(snapshot(peers=()), replace(good, after_loss=True), empty)
    assert problem.trouble is Trouble.PEER_NOT_FOUND
    assert of_recovery(snapshot(peers=()), good, replace(empty, after_loss=False)) == []


def test_findings_are_fit_without_problems() -> None:
    """A problem or a failure makes it unfit."""
    found = Findings(NOW, 30, [], select([], None, NOW))
    assert found.fit
    assert not replace(found, problems=[Problem(Trouble.STALE, "c.json")]).fit
    assert not replace(found, failure=["no database"]).fit


EARLY, NEWEST = checkpoint_of(hour=1), checkpoint_of(hour=12)
FUTURE = replace(checkpoint_of(), timestamp="2026-05-02T13:01:01Z", name="future.json")


def too_old(hours: float, *sources: Sequence[Checkpoint]) -> list[Problem]:
    """Return which of these sources are not fresh at one o'clock."""
    by_source = {str(number): found for number, found in enumerate(sources)}
    at_one = datetime(2026, 5, 2, 13, tzinfo=UTC)
    return list(findings.too_old(Selection(by_source, [], []), at_one, timedelta(hours=hours)))


def test_too_old() -> None:
    """The newest of each source must not be older than the limit."""
    assert too_old(1, [EARLY, NEWEST]) == []
    hour, limit = timedelta(hours=1), timedelta(hours=0.75)
    assert too_old(0.75, [EARLY, NEWEST]) == [
        Problem(Trouble.STALE, "12.json", age=hour, limit=limit)
    ]


def test_the_future_is_not_fresh() -> None:
    """A file dated in the future fails, unless the directory has another one."""
    assert too_old(2, [FUTURE]) == [
        Problem(Trouble.FROM_THE_FUTURE, "future.json", "2026-05-02T13:01:01Z")
    ]
    assert too_old(2, [FUTURE, NEWEST]) == []


def test_each_source_is_judged() -> None:
    """Each file and each directory that was named must be fresh."""
    assert [problem.subject for problem in too_old(2, [EARLY], [NEWEST])] == ["1.json"]
