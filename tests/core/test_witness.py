"""Each rule of the witness, and each way in which one fails (docs/guarantees.md)."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from stigmem_cursor_plugin.core import witness
from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.snapshot import Peer, Questions, Receipt, Received, Snapshot
from stigmem_cursor_plugin.core.witness import Evidence, Proof
from tests.snapshots import NODE_B, checkpoint_of, entry, peer, snapshot

MOVED = "2026-05-02T18:25:00.250000Z"
OTHERS = entry(peer_id="made up by another node")


def asked_of(
    checkpoints: list[Checkpoint], pull_interval: int = 30, *, pushes: bool = False
) -> Questions:
    """Return what is asked for these checkpoints, of a node with the usual settings."""
    return witness.questions(checkpoints, pull_interval=pull_interval, pushes=pushes, relays=False)


def examined(given: Entry, database: Snapshot, of: Peer | None = None) -> Evidence:
    """Return the evidence for an entry of node-b."""
    return witness.examine(given, of or peer(), database)


@pytest.mark.parametrize(
    ("held", "last_fact_id", "missing"),
    [(5, "f5", 0), (9, "f5", 0), (4, "f4", 1), (3, "f5", 2), (9, "other", 1), (0, None, 5)],
)
def test_counted(held: int, last_fact_id: str | None, missing: int) -> None:
    """A database needs the last fact and at least as many; at least so many are missing."""
    evidence = examined(entry(received=Received(5, last_fact_id)), snapshot(held=held))
    proof = Proof.FACTS_MISSING if missing else Proof.COUNTED
    assert evidence == Evidence(proof, held, missing)


def test_none_counted_needs_none() -> None:
    """A position reached without any fact needs none."""
    evidence = examined(entry(received=Received(0, None)), snapshot())
    assert evidence.proof is Proof.COUNTED


def test_last_fact_from_another_sender() -> None:
    """The last fact proves nothing where it came from another peer."""
    database = replace(snapshot(held=5), held={"f5": "stigmem://other"})
    evidence = examined(entry(received=Received(5, "f5")), database)
    assert evidence.proof is Proof.FACTS_MISSING


@pytest.mark.parametrize(
    ("facts", "last_is_there", "proof"),
    [
        (9, True, Proof.COUNTED),
        (10, True, Proof.COUNTED),
        (8, True, Proof.FACTS_MISSING),
        (10, False, Proof.FACTS_MISSING),
    ],
)
def test_any_sender(facts: int, last_is_there: bool, proof: Proof) -> None:
    """With any_sender the whole table is counted, and the last fact may be from anyone."""
    database = replace(
        snapshot(held=5),
        received_at_all=Received(facts, "x", any_sender=True),
        held={"x": None} if last_is_there else {},
    )
    assert examined(entry(received=Received(9, "x", any_sender=True)), database).proof is proof


def test_relays_that_were_not_counted() -> None:
    """On a node with relays, a count of the peer's own facts proves nothing."""
    whole = Received(9, "x", any_sender=True)
    database = replace(snapshot(held=5), may_hold_indirect_facts=True, received_at_all=whole)
    evidence = examined(entry(received=Received(5, "f5")), database)
    assert evidence.proof is Proof.RELAYS_NOT_COUNTED
    assert evidence.in_doubt


@pytest.mark.parametrize(("last_fact_id", "table", "missing"), [("f5", 3, 2), ("gone", 9, 1)])
def test_what_no_sender_brought_is_missing(last_fact_id: str, table: int, missing: int) -> None:
    """Facts that the whole table lacks are missing, though the checkpoint did not count relays."""
    whole = Received(table, "x", any_sender=True)
    database = replace(snapshot(held=5), may_hold_indirect_facts=True, received_at_all=whole)
    evidence = examined(entry(received=Received(5, last_fact_id)), database)
    assert evidence == Evidence(Proof.FACTS_MISSING, table, missing)


def span(asked: Collection[Receipt]) -> tuple[str, str]:
    """Return from when to when a fact must have been received, in UTC."""
    (receipt,) = asked
    return receipt.since.removesuffix("+00:00"), receipt.until.removesuffix("+00:00")


def test_received_just_before_the_position_moved() -> None:
    """Without a count, a fact received within five seconds up to the move proves the position."""
    given = entry(updated_at=MOVED)
    asked = asked_of([checkpoint_of(given)]).receipts
    assert span(asked) == ("2026-05-02T18:24:55.250000", "2026-05-02T18:25:00.250000")
    assert asked == {Receipt(NODE_B, "", "2026-05-02T18:25:00.250000+00:00")}
    database = snapshot(held=5)
    assert examined(given, database).proof is Proof.NOT_RECEIVED
    assert examined(given, replace(database, receipts=asked)).proof is Proof.RECEIVED


def test_a_time_with_an_offset() -> None:
    """The host writes its times in UTC, and they are compared as text."""
    (asked,) = asked_of([checkpoint_of(entry(updated_at="2026-05-02T20:25:00.25+02:00"))]).receipts
    assert asked.until == "2026-05-02T18:25:00.250000+00:00"


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"])
def test_a_time_at_the_end_of_time(time: str) -> None:
    """What is before the first or after the last year shows nothing."""
    assert asked_of([checkpoint_of(entry(updated_at=time))]).receipts == set()


def test_a_whole_second_lasts_to_its_end() -> None:
    """A time without a fraction stands for its whole second."""
    (asked,) = asked_of([checkpoint_of(entry(updated_at="2026-05-02T18:25:00Z"))]).receipts
    assert asked.until == "2026-05-02T18:25:00.999999+00:00"


@pytest.mark.parametrize(
    ("pull_interval", "since"),
    [
        (4, "2026-05-02T18:24:56.250000"),
        (1, "2026-05-02T18:24:59.250000"),
        (0, "2026-05-02T18:25:00.250000"),
        (5, "2026-05-02T18:24:55.250000"),
        (10**400, "2026-05-02T18:24:55.250000"),
    ],
)
def test_no_longer_than_from_page_to_page(pull_interval: int, since: str) -> None:
    """A fact of the page before shows nothing, so a shorter pull interval shortens the span."""
    asked = asked_of([checkpoint_of(entry(updated_at=MOVED))], pull_interval).receipts
    assert span(asked) == (since, "2026-05-02T18:25:00.250000")


@pytest.mark.parametrize(
    ("pull_interval", "since"),
    [
        (30, "2026-05-02T18:24:55"),
        (6, "2026-05-02T18:24:55"),
        (5, "2026-05-02T18:24:55.999999"),
        (1, "2026-05-02T18:24:59.999999"),
    ],
)
def test_span_of_a_whole_second(pull_interval: int, since: str) -> None:
    """Whenever in its second the position moved, no fact of the page before is in the span."""
    given = checkpoint_of(entry(updated_at="2026-05-02T18:25:00Z"))
    asked = asked_of([given], pull_interval).receipts
    assert span(asked) == (since, "2026-05-02T18:25:00.999999")


def test_pushed_facts() -> None:
    """On a node that takes pushed facts, all senders are counted and a receipt shows nothing."""
    asked = asked_of([checkpoint_of(entry(updated_at=MOVED))], pushes=True)
    assert (asked.pushes, asked.receipts) == (True, set())
    assert not asked_of([checkpoint_of(entry(updated_at=MOVED))]).pushes


def test_without_a_time_nothing_is_shown() -> None:
    """Without a count and without a time, facts that are there prove nothing."""
    assert asked_of([checkpoint_of(entry())]).receipts == set()
    assert examined(entry(), snapshot(held=5)).proof is Proof.NOT_RECEIVED


@pytest.mark.parametrize(
    ("peer_id", "proof"),
    [
        ("peer-a", Proof.REGISTERED_AGAIN),
        ("peer-b", Proof.ON_TRUST),
        ("peer-c", Proof.REGISTERED_AGAIN),
    ],
)
def test_no_count_and_no_facts(peer_id: str, proof: Proof) -> None:
    """Without a count and without facts, a peer that was registered again has lost them."""
    given = entry(updated_at=MOVED, peer_id="peer-b")
    assert examined(given, snapshot(), peer(peer_id)).proof is proof


@pytest.mark.parametrize("received", [None, Received(5, "f5", any_sender=True)])
@pytest.mark.parametrize(
    ("cursor", "direction"), [("200.0", "outbound"), ("200.0", "a direction"), (None, "inbound")]
)
def test_no_witness_needed(cursor: str | None, direction: str, received: Received | None) -> None:
    """Only an inbound position stands for facts."""
    given = replace(entry(cursor, received, updated_at=MOVED), direction=direction)
    assert examined(given, snapshot()) == Evidence(Proof.NOT_NEEDED, 0, 0)
    asked = asked_of([checkpoint_of(given)])
    assert (asked.fact_ids, asked.receipts, asked.whole_table) == (set(), set(), False)


def test_questions_about_counted_facts() -> None:
    """A database is asked for the last fact of each entry, and counted whole where one needs it."""
    plain, relay = entry(received=Received(1, "a")), entry(received=Received(2, "b", True))
    assert asked_of([checkpoint_of(plain)]).fact_ids == {"a"}
    assert not asked_of([checkpoint_of(plain)]).whole_table
    both = asked_of([checkpoint_of(plain), checkpoint_of(relay)])
    assert (both.fact_ids, both.whole_table) == ({"a", "b"}, True)


@pytest.mark.parametrize(
    ("given", "foreign"),
    [
        ({}, True),
        ({"db_path": "/srv/s.db"}, False),
        ({"db_path": "./s.db"}, False),
        ({"db_path": "/mnt/t.db"}, True),
        ({"db_path": "/mnt/s.db", "database": "/srv/s.db"}, True),
        ({"db_path": "/srv/t.db", "database": "/srv/s.db"}, True),
        ({"db_path": "/srv/s.db", "database": "/srv/s.db"}, False),
        ({"db_path": "s.db", "peers": ()}, False),
        ({"peers": ()}, True),
        ({"db_path": "s.db", "entries": [replace(OTHERS, peer_node_id="stigmem://x")]}, True),
        ({"entries": [OTHERS, replace(OTHERS, peer_id="b")]}, False),
        ({"node_id": NODE_B}, False),
        ({"entries": [replace(OTHERS, cursor=None)]}, False),
    ],
)
def test_seems_foreign(given: dict[str, Any], foreign: bool) -> None:
    """One that names no node and shares no peer id is another's, unless of the same database.

    A database that does not know its own id cannot tell either.
    """
    peers, name = given.pop("peers", snapshot().peers), given.pop("database", "s.db")
    database = replace(snapshot(peers=peers), database=name)
    given_checkpoint = replace(checkpoint_of(OTHERS), **given)
    assert witness.seems_foreign(given_checkpoint, database) is foreign
    if given_checkpoint.node_id:
        assert witness.seems_foreign(given_checkpoint, replace(database, node_id=None))
