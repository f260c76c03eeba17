"""Every row of the decision table, and every pair of rows that can meet."""

import itertools
from dataclasses import replace
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmem_cursor_plugin.core import recovery
from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.recovery import Outcome
from stigmem_cursor_plugin.core.snapshot import Cursor, Peer, Received, Snapshot

OLD, NEW = "100.0", "200.0"
NODE = "stigmem://node-b"


def entry(cursor: str | None = NEW, received: Received | None = None, peer_id: str = "b") -> Entry:
    """Return an entry for node-b."""
    return Entry(peer_id, NODE, None, None, "inbound", cursor, None, received)


def taken(*entries: Entry, hour: int = 12, node_id: str | None = None) -> Checkpoint:
    """Return a checkpoint of an hour of one day."""
    return Checkpoint(f"2026-05-02T{hour:02}:00:00Z", None, entries, node_id)


def snapshot(
    *,
    peers: tuple[Peer, ...] = (Peer("b", NODE, "", "active"),),
    position: str | None = None,
    held: int = 0,
    table: bool = True,
) -> Snapshot:
    """Return a database with the facts ``f1`` to ``f{held}`` of node-b."""
    cursors = {(peer.id, "inbound"): Cursor(peer.id, "inbound", position, "t") for peer in peers}
    return Snapshot(
        node_id="stigmem://node-a",
        peers=peers,
        cursors=cursors if table else None,
        received={NODE: Received(held, f"f{held}")} if held else {},
        held={(NODE, f"f{number}") for number in range(1, held + 1)},
    )


class Condition(NamedTuple):
    """What can be the case for one entry, each alone."""

    null: bool
    unknown: bool
    reregistered: bool
    set: bool
    lacking: bool
    force: bool
    accept_loss: bool


def expected(case: Condition) -> Outcome:
    """Return what the design's table says, row by row."""
    if case.null:
        return Outcome.NO_POSITION
    if case.unknown:
        return Outcome.PEER_NOT_FOUND
    if case.set and not case.force:
        return Outcome.ALREADY_SET
    if case.lacking and not case.accept_loss:
        return Outcome.FACTS_MISSING
    return Outcome.RESTORED


CONDITIONS = [Condition(*values) for values in itertools.product([False, True], repeat=7)]


@pytest.mark.parametrize(
    "case",
    [case for case in CONDITIONS if not (case.unknown and (case.reregistered or case.set))],
    ids=lambda case: "-".join(name for name, holds in case._asdict().items() if holds) or "none",
)
def test_every_row_and_all_that_can_meet(case: Condition) -> None:
    """For every combination of conditions the first row of the table that applies decides."""
    peer_id = "new" if case.reregistered else "b"
    database = snapshot(
        peers=() if case.unknown else (Peer(peer_id, NODE, "", "active"),),
        position=OLD if case.set else None,
        held=0 if case.lacking else 5,
    )
    given_entry = entry(None if case.null else NEW, Received(5, "f5"))
    plan = recovery.plan(
        [taken(given_entry)], database, force=case.force, accept_loss=case.accept_loss
    )
    (decision,) = plan.decisions
    assert decision.outcome is expected(case)
    restored = [Cursor(peer_id, "inbound", NEW, "now")]
    assert plan.cursors("now") == (restored if decision.outcome is Outcome.RESTORED else [])
    if decision.outcome is Outcome.RESTORED:
        assert decision.reregistered is case.reregistered
        assert decision.previous == (OLD if case.set else None)
        assert decision.unproven is case.lacking
    if decision.outcome is Outcome.FACTS_MISSING:
        assert decision.missing == 5


@pytest.mark.parametrize(
    ("held", "last_fact_id", "missing"),
    [(5, "f5", 0), (9, "f5", 0), (4, "f4", 1), (3, "f5", 2), (9, "other", 1), (0, None, 5)],
)
def test_facts_missing(held: int, last_fact_id: str | None, missing: int) -> None:
    """A database needs the last fact and at least as many; at least so many are missing."""
    decision = recovery.plan(
        [taken(entry(received=Received(5, last_fact_id)))], snapshot(held=held)
    ).decisions[0]
    assert decision.missing == missing
    assert decision.outcome is (Outcome.FACTS_MISSING if missing else Outcome.RESTORED)


def test_none_received_needs_none() -> None:
    """A position reached without any fact is restored to an empty database, as proven."""
    plan = recovery.plan([taken(entry(received=Received(0, None)))], snapshot())
    assert plan.decisions[0].outcome is Outcome.RESTORED
    assert not plan.decisions[0].unproven


def test_other_node_under_the_same_id() -> None:
    """Facts of another node prove nothing for a peer whose id now belongs to that node."""
    other = Peer("b", "stigmem://other", "", "active")
    database = Snapshot(
        None, (other,), {}, {"stigmem://other": Received(9, "g9")}, {("stigmem://other", "g5")}
    )
    decision = recovery.plan([taken(entry(received=Received(5, "f5")))], database).decisions[0]
    assert decision.outcome is Outcome.FACTS_MISSING


def test_node_id_before_peer_id() -> None:
    """Where a peer id now belongs to another node, the peer with the node id gets the position."""
    peers = (Peer("b", "stigmem://other", "", "active"), Peer("new", NODE, "", "active"))
    plan = recovery.plan([taken(entry())], snapshot(peers=peers, held=1))
    assert plan.cursors("now") == [Cursor("new", "inbound", NEW, "now")]


def test_missing_table() -> None:
    """Without the table every position counts as empty, and the plan says so."""
    plan = recovery.plan([taken(entry())], snapshot(table=False, held=1))
    assert plan.table_missing
    assert plan.count(Outcome.RESTORED) == 1


def test_foreign_checkpoints_are_found() -> None:
    """A checkpoint with another node's id is foreign; one without an id is not."""
    checkpoints = [taken(node_id="stigmem://node-a"), taken(), taken(node_id="stigmem://x")]
    assert list(recovery.foreign(checkpoints, snapshot())) == [2]
    assert list(recovery.foreign(checkpoints, Snapshot(None, (), {}))) == []


@pytest.mark.parametrize("held", [0, 5])
def test_accepting_loss_takes_the_newest(held: int) -> None:
    """With --accept-loss the newest position counts, whether or not it counts its facts."""
    checkpoints = [taken(entry(OLD, Received(5, "f5")), hour=1), taken(entry(NEW), hour=2)]
    plan = recovery.plan(checkpoints, snapshot(held=held), accept_loss=True)
    assert plan.cursors("now") == [Cursor("b", "inbound", NEW, "now")]
    unsure = recovery.plan(checkpoints, snapshot(held=held))
    assert unsure.cursors("now") == ([Cursor("b", "inbound", OLD, "now")] if held else [])


@pytest.mark.parametrize("position", [OLD, None])
def test_undo_empties_with_force_only(position: str | None) -> None:
    """An empty entry of an undo checkpoint empties the position with --force, else it is none."""
    undo = replace(taken(entry(None)), undo=True)
    database = snapshot(position=position)
    assert recovery.plan([undo], database).count(Outcome.NO_POSITION) == 1
    forced = recovery.plan([undo], database, force=True)
    assert forced.cursors("now") == [Cursor("b", "inbound", None, "now")]


COUNTED = st.integers(0, 6).map(lambda facts: Received(facts, f"f{facts}" if facts else None))


@given(
    st.lists(st.tuples(st.integers(0, 23), st.none() | COUNTED), min_size=1, max_size=5),
    st.integers(0, 6),
    st.randoms(use_true_random=False),
)
def test_newest_that_is_backed_up(
    history: list[tuple[int, Received | None]], held: int, random: Random
) -> None:
    """Of several checkpoints the newest proven one counts; none uncounted while one counts."""
    checkpoints = [
        taken(entry(f"{hour}.{number}", received), hour=hour)
        for number, (hour, received) in enumerate(history)
    ]
    database = snapshot(held=held)
    (decision,) = recovery.plan(checkpoints, database).decisions
    counted = [(h, n, r) for n, (h, r) in enumerate(history) if r is not None]
    proven = [(h, n) for h, n, r in counted if r.facts <= held]
    if proven:
        assert decision.outcome is Outcome.RESTORED
        assert decision.checkpoint == max(proven)[1]
    elif counted:
        assert decision.outcome is Outcome.FACTS_MISSING
    else:
        assert decision.checkpoint == max((h, n) for n, (h, _) in enumerate(history))[1]
    # The order in which files are named does not matter where their times differ.
    if len({hour for hour, _ in history}) == len(history):
        shuffled = checkpoints.copy()
        random.shuffle(shuffled)
        assert recovery.plan(shuffled, database).cursors("t") == recovery.plan(
            checkpoints, database
        ).cursors("t")
