"""Every row of the decision table, and every pair of rows that can meet."""

import itertools
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmem_cursor_plugin.core import recovery
from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.decision import Decision, Outcome, Remark
from stigmem_cursor_plugin.core.recovery import Plan
from stigmem_cursor_plugin.core.snapshot import Cursor, Peer, Receipt, Received, Snapshot
from stigmem_cursor_plugin.core.witness import Evidence, Proof, moved_with_page
from tests.snapshots import MOVED, NODE_B, checkpoint_of, entry, peer, snapshot

OLD, NEW = "100.0", "200.0"
NOW = datetime(2026, 5, 3, tzinfo=UTC)


def plan(*checkpoints: Checkpoint, database: Snapshot, **flags: bool) -> Plan:
    """Plan an import a day after the checkpoints were taken."""
    return recovery.plan(checkpoints, database, NOW, **flags)


class Condition(NamedTuple):
    """What can be the case for one entry, each alone."""

    null: bool
    unknown: bool
    registered_again: bool
    set: bool
    lacking: bool
    force: bool
    accept_loss: bool


def expected(case: Condition) -> Outcome:
    """Return what the table of docs/guarantees.md says, row by row."""
    if case.null:
        return Outcome.NO_POSITION
    if case.unknown:
        return Outcome.PEER_NOT_FOUND
    if case.set and not case.force:
        return Outcome.ALREADY_SET
    if case.lacking and not case.accept_loss:
        return Outcome.WITHHELD
    return Outcome.RESTORED


CONDITIONS = [Condition(*values) for values in itertools.product([False, True], repeat=7)]


@pytest.mark.parametrize(
    "case",
    [case for case in CONDITIONS if not (case.unknown and (case.registered_again or case.set))],
    ids=lambda case: "-".join(name for name, holds in case._asdict().items() if holds) or "none",
)
def test_every_row_and_all_that_can_meet(case: Condition) -> None:
    """For every combination of conditions the first row of the table that applies decides."""
    peer_id = "new" if case.registered_again else "b"
    database = snapshot(
        peers=() if case.unknown else (peer(peer_id),),
        position=OLD if case.set else None,
        held=0 if case.lacking else 5,
    )
    given_entry = entry(None if case.null else NEW, Received(5, "f5"))
    found = plan(
        checkpoint_of(given_entry),
        database=database,
        force=case.force,
        accept_loss=case.accept_loss,
    )
    (decision,) = found.decisions
    assert decision.outcome is expected(case)
    restored = [Cursor(peer_id, "inbound", NEW, "now")]
    assert found.cursors("now") == (restored if decision.outcome is Outcome.RESTORED else [])
    assert found.withholds is (decision.outcome is Outcome.WITHHELD)
    if decision.outcome is Outcome.RESTORED:
        assert decision.registered_again is case.registered_again
        assert decision.previous == (OLD if case.set else None)
        assert (Remark.LOSS_ACCEPTED in decision.remarks(several=False)) is case.lacking
    if decision.outcome is Outcome.WITHHELD:
        assert decision.evidence.missing == 5


def remarks(decision: Decision, *, several: bool = False) -> list[Remark]:
    """Return what there is to say of a decision."""
    return list(decision.remarks(several=several))


@pytest.mark.parametrize(
    ("peer_id", "node_id", "expected"),
    [
        ("b", NODE_B, []),
        ("a", NODE_B, [Remark.REGISTERED_AGAIN]),
        ("c", NODE_B, [Remark.REGISTERED_AGAIN]),
        ("b", "stigmem://a", [Remark.RENAMED]),
        ("b", "stigmem://z", [Remark.RENAMED]),
    ],
)
def test_what_is_said_of_a_peer(peer_id: str, node_id: str, expected: list[Remark]) -> None:
    """A peer that was registered again or goes by another node id is told, and nothing else."""
    database = replace(
        snapshot(peers=(Peer(peer_id, node_id, "", "active"),)),
        received={node_id: Received(1, "f1")},
        held={"f1": node_id},
    )
    (decision,) = plan(checkpoint_of(entry(NEW, Received(1, "f1"))), database=database).decisions
    assert remarks(decision) == expected
    assert remarks(decision, several=True) == [*expected, Remark.FROM]


def test_what_is_said_of_trust() -> None:
    """A position that is restored on trust alone is told, and one that is not restored."""
    (trusted,) = plan(checkpoint_of(entry(NEW)), database=snapshot()).decisions
    assert remarks(trusted) == [Remark.ON_TRUST]
    (unknown,) = plan(checkpoint_of(entry(NEW)), database=snapshot(peers=())).decisions
    assert remarks(unknown, several=True) == [Remark.PEER_NOT_FOUND]
    moved = plan(checkpoint_of(entry(NEW)), database=snapshot(position=OLD), force=True).decisions[
        0
    ]
    assert remarks(moved) == [Remark.MOVED, Remark.ON_TRUST]


def test_on_trust_rather_than_nothing() -> None:
    """A position on trust is better than a newer checkpoint that has none."""
    old, new = checkpoint_of(entry(OLD), hour=1), checkpoint_of(entry(None), hour=2)
    assert plan(old, new, database=snapshot()).cursors("now")[0].position == OLD


def test_node_id_before_peer_id() -> None:
    """Where a peer id now belongs to another node, the peer with the node id gets the position."""
    peers = (Peer("b", "stigmem://other", "", "active"), peer("new"))
    found = plan(
        checkpoint_of(entry(received=Received(1, "f1"))), database=snapshot(peers=peers, held=1)
    )
    assert found.cursors("now") == [Cursor("new", "inbound", NEW, "now")]


def test_missing_table() -> None:
    """Without the table every position counts as empty, and the plan says so."""
    found = plan(
        checkpoint_of(entry(received=Received(1, "f1"))), database=snapshot(table=False, held=1)
    )
    assert found.table_missing
    assert found.counts[Outcome.RESTORED] == 1


@pytest.mark.parametrize("held", [0, 5])
def test_accepting_loss_takes_the_newest(held: int) -> None:
    """With --accept-loss the newest position counts, whether or not it counts its facts."""
    checkpoints = [
        checkpoint_of(entry(OLD, Received(5, "f5")), hour=1),
        checkpoint_of(entry(NEW), hour=2),
    ]
    found = plan(*checkpoints, database=snapshot(held=held), accept_loss=True)
    assert found.cursors("now") == [Cursor("b", "inbound", NEW, "now")]
    unsure = plan(*checkpoints, database=snapshot(held=held))
    assert unsure.cursors("now") == ([Cursor("b", "inbound", OLD, "now")] if held else [])


@pytest.mark.parametrize("position", [OLD, None])
def test_undo_empties_with_force_only(position: str | None) -> None:
    """An empty entry of an undo checkpoint empties the position with --force, else it is none."""
    undo = replace(checkpoint_of(entry(None)), undo=True)
    database = snapshot(position=position)
    assert plan(undo, database=database).counts[Outcome.NO_POSITION] == 1
    forced = plan(undo, database=database, force=True)
    assert forced.cursors("now") == [Cursor("b", "inbound", None, "now")]


@pytest.mark.parametrize(
    ("position", "moved_with_page", "cleared"),
    [
        ("199.9", True, False),
        ("199.9", False, True),
        (NEW, True, True),
        ("200.1", True, True),
        ("opaque", False, False),
    ],
)
def test_position_that_stands_on_missing_facts(
    position: str, moved_with_page: bool, cleared: bool
) -> None:
    """--force empties a position at or past one whose counted facts are gone: it is false.

    So is one before it that did not move with a page: an import has put it there.
    """
    lost = checkpoint_of(entry(NEW, Received(5, "f5")))
    database = snapshot(position=position, held=4, moved_with_page=moved_with_page)
    left = plan(lost, database=database)
    assert left.cursors("now") == []
    assert left.counts[Outcome.ALREADY_SET] == 1
    assert left.withholds is cleared
    assert list(left.decisions[0].remarks(several=False)) == [
        Remark.FALSE if cleared else Remark.ALREADY_SET
    ]
    assert not plan(lost, database=database, accept_loss=True).withholds
    found = plan(lost, database=database, force=True)
    shown = {("b", "inbound"): Received(5, "f5")}
    assert found.false_positions == (shown if cleared else {})
    assert found.cursors("now") == ([Cursor("b", "inbound", None, "now")] if cleared else [])
    assert found.counts[Outcome.CLEARED] == (1 if cleared else 0)
    assert found.withholds
    assert found.overwrites is cleared
    accepted = plan(lost, database=database, force=True, accept_loss=True)
    assert accepted.cursors("now") == [Cursor("b", "inbound", NEW, "now")]


def test_the_newest_checkpoint_judges_a_position_that_is_set() -> None:
    """What an older checkpoint counts may have been given up since."""
    counts_more = checkpoint_of(entry(OLD, Received(5, "f5")), hour=1)
    settled = checkpoint_of(entry(NEW, Received(4, "f4")), hour=2)
    database = snapshot(position=NEW, held=4)
    assert not plan(counts_more, settled, database=database).withholds
    assert plan(
        replace(counts_more, timestamp="2026-05-02T23:00:00Z"), settled, database=database
    ).withholds


def test_an_older_position_rather_than_none() -> None:
    """Where an older checkpoint can be backed up, --force moves the position back to it."""
    old = checkpoint_of(entry(OLD, Received(3, "f3")), hour=1)
    new = checkpoint_of(entry(NEW, Received(5, "f5")), hour=2)
    found = plan(old, new, database=snapshot(position=NEW, held=4), force=True)
    assert found.cursors("now") == [Cursor("b", "inbound", OLD, "now")]


def test_false_position_weighs_more_than_missing_facts() -> None:
    """A position shown to be false is emptied, though a newer checkpoint only lacks facts."""
    old = checkpoint_of(entry("150.0", Received(4, "f4")), hour=1)
    new = checkpoint_of(entry(NEW, Received(5, "f5")), hour=2)
    found = plan(old, new, database=snapshot(position="160.0", held=2), force=True)
    assert found.cursors("now") == [Cursor("b", "inbound", None, "now")]


def test_dated_in_the_future_counts_as_oldest() -> None:
    """A checkpoint dated in the future is used only where no other one can be."""
    future = replace(checkpoint_of(entry(NEW, Received(1, "f1"))), timestamp="2027-01-01T00:00:00Z")
    past = checkpoint_of(entry(OLD, Received(1, "f1")))
    assert plan(future, past, database=snapshot(held=1)).cursors("now")[0].position == OLD
    assert plan(future, database=snapshot(held=1)).cursors("now")[0].position == NEW


def test_on_trust_only_where_nothing_is_counted() -> None:
    """A checkpoint that counts no facts is no way around a newer or older one that does."""
    counted, uncounted = (
        checkpoint_of(entry(NEW, Received(5, "f5")), hour=2),
        checkpoint_of(entry(OLD), hour=1),
    )
    assert plan(uncounted, database=snapshot()).decisions[0].evidence.proof is Proof.ON_TRUST
    both = plan(counted, uncounted, database=snapshot())
    assert both.cursors("now") == []
    assert both.counts[Outcome.WITHHELD] == 1


COUNTED = st.integers(0, 6).map(lambda facts: Received(facts, f"f{facts}" if facts else None))


@given(
    st.lists(st.tuples(st.integers(0, 23), COUNTED), min_size=1, max_size=5),
    st.integers(0, 6),
    st.randoms(use_true_random=False),
)
def test_newest_that_is_backed_up(
    history: list[tuple[int, Received]], held: int, random: Random
) -> None:
    """Of several checkpoints the newest counts that is older than all whose facts are missing.

    One that is newer than such a one was written after the loss. The order of the files is nothing.
    """
    checkpoints = [
        checkpoint_of(entry(f"{hour}.{number}", received), hour=hour)
        for number, (hour, received) in enumerate(history)
    ]
    database = snapshot(held=held)
    (decision,) = plan(*checkpoints, database=database).decisions
    lacking = [(h, n) for n, (h, received) in enumerate(history) if received.facts > held]
    proven = [
        (h, n) for n, (h, _) in enumerate(history) if all((h, n) < missing for missing in lacking)
    ]
    if proven:
        assert decision.outcome is Outcome.RESTORED
        assert decision.checkpoint == checkpoints[max(proven)[1]]
    else:
        assert decision.outcome is Outcome.WITHHELD
    # The order in which files are named does not matter where their times differ.
    if len({hour for hour, _ in history}) == len(history):
        shuffled = checkpoints.copy()
        random.shuffle(shuffled)
        again = plan(*shuffled, database=database)
        assert again.cursors("t") == plan(*checkpoints, database=database).cursors("t")


@pytest.mark.parametrize(
    ("cursor", "reached"), [("199.9", True), (NEW, True), ("200.1", False), (None, False)]
)
def test_stands_on_missing_facts(cursor: str | None, reached: bool) -> None:
    """The database's position is false where it reaches an entry whose counted facts are gone."""
    given_entry = entry(cursor, Received(5, "f5"))
    lacking, holding = snapshot(position=NEW, held=4), snapshot(position=NEW, held=5)
    assert recovery.stands_on_missing_facts(given_entry, peer(), lacking) is reached
    assert not recovery.stands_on_missing_facts(given_entry, peer(), holding)
    assert not recovery.stands_on_missing_facts(given_entry, peer(), snapshot(held=4))


def test_written_after_a_loss() -> None:
    """What an older checkpoint counts and is gone disproves a newer one that does not count it.

    Unless the loss was given up between the two, is accepted now, or concerns another node id.
    """
    older = checkpoint_of(entry(OLD, Received(5, "f5")), hour=1)
    newer = checkpoint_of(entry(NEW, Received(3, "f3")), hour=2)
    database = snapshot(held=3)
    (decision,) = plan(older, newer, database=database).decisions
    assert (decision.outcome, decision.checkpoint) == (Outcome.WITHHELD, older)
    (decision,) = plan(older, newer, database=database, accept_loss=True).decisions
    assert decision.position == NEW
    (decision,) = plan(older, replace(newer, forced=True), database=database).decisions
    assert decision.position == NEW
    for name in ("stigmem://former", "stigmem://z"):
        renamed = replace(older, entries=[replace(older.entries[0], peer_node_id=name)])
        assert plan(renamed, newer, database=database).decisions[0].position == NEW


def test_the_furthest_position_that_is_proven() -> None:
    """A node that has fallen back gets the older checkpoint's position, if its facts are there."""
    good = checkpoint_of(entry(NEW, Received(5, "f5")), hour=1)
    fallen_back = checkpoint_of(entry(OLD, Received(5, "f5")), hour=2)
    for database in (snapshot(held=5), snapshot(held=5, position=OLD)):
        found = plan(good, fallen_back, database=database, force=True)
        assert found.cursors("now") == [Cursor("b", "inbound", NEW, "now")]
    accepted = plan(good, fallen_back, database=snapshot(held=5), accept_loss=True)
    assert accepted.cursors("now") == [Cursor("b", "inbound", OLD, "now")]


@pytest.mark.parametrize(
    ("older", "received", "newest"),
    [
        (OLD, Received(3, "f3"), True),
        (NEW, Received(5, "f5"), True),
        ("300.0", Received(9, "f9"), True),
        ("300.0", None, True),
        ("300.0", Received(5, "f5"), False),
    ],
    ids=["behind", "the same", "lacking", "not counted", "further"],
)
def test_newest_unless_an_older_one_is_further(
    older: str, received: Received | None, newest: bool
) -> None:
    """Beside a newest one that is backed up, an older one counts only if it is proven further."""
    old, new = (
        checkpoint_of(entry(older, received), hour=1),
        checkpoint_of(entry(NEW, Received(5, "f5")), hour=2),
    )
    (decision,) = plan(old, new, database=snapshot(held=5)).decisions
    assert decision.checkpoint == (new if newest else old)


@pytest.mark.parametrize("received", [None, Received(5, "f5")], ids=["on trust", "lacking"])
def test_a_position_that_is_not_proven_is_no_further(received: Received | None) -> None:
    """Where nothing is proven, the newest counts, however far an older one says it was."""
    old, new = (
        checkpoint_of(entry(NEW, received), hour=1),
        checkpoint_of(entry(OLD, received), hour=2),
    )
    assert plan(old, new, database=snapshot()).decisions[0].checkpoint == new


def test_outbound_the_newest_counts() -> None:
    """No facts belong to an outbound position: nothing shows that one further ahead is true."""
    sent = [replace(entry(cursor), direction="outbound") for cursor in (NEW, OLD)]
    old, new = checkpoint_of(sent[0], hour=1), checkpoint_of(sent[1], hour=2)
    assert plan(old, new, database=snapshot()).decisions[0].checkpoint == new


@pytest.mark.parametrize(("db_path", "restored"), [("s.db", True), ("other.db", False)])
def test_another_nodes_checkpoint_without_counts(db_path: str, restored: bool) -> None:
    """That a fact was received when another node's position moved shows nothing."""
    given = replace(checkpoint_of(entry(NEW, peer_id="x", updated_at=MOVED)), db_path=db_path)
    database = replace(snapshot(held=3), database="s.db")
    (decision,) = plan(given, database=database).decisions
    proof = Proof.RECEIVED if restored else Proof.OTHER_NODE
    assert decision.evidence == Evidence(proof, held=3)
    assert decision.outcome is (Outcome.RESTORED if restored else Outcome.WITHHELD)


def test_receipts_to_ask() -> None:
    """Only for a position that is before one whose facts are missing, of a peer that is known."""
    lost = [checkpoint_of(entry(NEW, Received(5, "f5")))]

    def asked(database: Snapshot) -> Collection[Receipt]:
        return recovery.receipts_to_ask(lost, database)

    assert asked(snapshot(held=4, position=OLD)) == {moved_with_page(NODE_B, MOVED)}
    (span,) = asked(snapshot(held=4, position=OLD))
    assert span.since == "2026-05-01T11:59:55.500000+00:00"
    several = checkpoint_of(
        Entry("x", "stigmem://x", None, None, "inbound", NEW, None, Received(5, "f5")),
        *lost[0].entries,
    )
    found = recovery.receipts_to_ask([several], snapshot(position=OLD))
    assert found == {moved_with_page(NODE_B, MOVED)}
    assert asked(snapshot(held=4, position=NEW)) == set()
    assert asked(snapshot(held=4)) == set()
    assert asked(snapshot(held=5, position=OLD)) == set()
    assert asked(snapshot(peers=())) == set()
    assert not asked(replace(snapshot(held=4, position=OLD), may_hold_indirect_facts=True))
    database = snapshot(held=4, position=OLD)
    opaque = {key: one._replace(updated_at="?") for key, one in (database.cursors or {}).items()}
    assert asked(replace(database, cursors=opaque)) == set()


def test_writes() -> None:
    """There is something to write where a position is, or where the table is missing."""
    given = checkpoint_of(entry(NEW, Received(5, "f5")))
    assert plan(given, database=snapshot(held=5)).writes is True
    assert plan(given, database=snapshot(held=5, position=NEW)).writes is False
    assert plan(given, database=snapshot(held=4, table=False)).writes is True


@pytest.mark.parametrize("relays", [True, False])
def test_where_a_page_shows_nothing(relays: bool) -> None:
    """Where facts may come by others, a position that is before the entry's counts as true."""
    given = Received(5, "f5", any_sender=True)
    database = snapshot(position=OLD, moved_with_page=False)
    database = replace(
        database, may_hold_indirect_facts=relays, received_at_all=Received(4, "f4", any_sender=True)
    )
    assert plan(checkpoint_of(entry(NEW, given)), database=database).withholds is not relays


def test_import_keeps_what_shows_that_a_position_is_true() -> None:
    """A proven position is written with the time at which it moved, any other with that of now."""
    proven = checkpoint_of(entry(NEW, Received(5, "f5"), updated_at="2026-05-02t18:25:00.25z"))
    (cursor,) = plan(proven, database=snapshot(held=5)).cursors("now")
    assert cursor.updated_at == "2026-05-02T18:25:00.250000+00:00"
    leap = checkpoint_of(entry(NEW, Received(5, "f5"), updated_at="2016-12-31T23:59:60Z"))
    (cursor,) = plan(leap, database=snapshot(held=5)).cursors("now")
    assert cursor.updated_at == "2016-12-31T23:59:59+00:00"
    (cursor,) = plan(proven, database=snapshot(held=4), accept_loss=True).cursors("now")
    assert cursor.updated_at == "now"
    (cursor,) = plan(proven, database=snapshot(held=4, position=NEW), force=True).cursors("now")
    assert cursor == Cursor("b", "inbound", None, "now")


def test_what_the_database_has_is_told_without_a_position_too() -> None:
    """An entry without a position says where the database is, though nothing is done."""
    (decision,) = plan(checkpoint_of(entry(None)), database=snapshot(position=OLD)).decisions
    assert (decision.outcome, decision.previous) == (Outcome.NO_POSITION, OLD)
