"""What a checkpoint holds: positions, counts, whose it is; and which is newer."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stigmem_cursor_plugin import __version__
from stigmem_cursor_plugin.core import checkpoint
from stigmem_cursor_plugin.core.checkpoint import Entry
from stigmem_cursor_plugin.core.snapshot import Cursor, Peer, Received, Snapshot
from stigmem_cursor_plugin.core.times import rfc3339
from tests.snapshots import NODE_A, NODE_B, checkpoint_of, entry, peer, snapshot

NOW = datetime(2026, 5, 3, 1, 2, 3, 999_999, tzinfo=UTC)
WHOLE = Received(9, "x", any_sender=True)


def counted(database: Snapshot) -> Received | None:
    """Return what the checkpoint of a database with one peer counts."""
    (entry,) = checkpoint.build(database, NOW).entries
    return entry.received


@pytest.mark.parametrize("held", [0, 5])
def test_facts_of_the_peer(held: int) -> None:
    """A checkpoint counts the facts of each peer, and names the one stored last."""
    database = replace(snapshot(position="200.0", held=held), received_at_all=WHOLE)
    assert counted(database) == Received(held, f"f{held}" if held else None)


@pytest.mark.parametrize(("position", "expected"), [("200.0", WHOLE), (None, Received(0, None))])
def test_facts_that_came_under_another_name(position: str | None, expected: Received) -> None:
    """If a former peer's facts are there, a position without facts counts the whole table.

    The peer may be the former one under a new node id: nothing of it had to be stored again.
    """
    database = replace(
        snapshot(position=position),
        received={"stigmem://former": Received(5, "f5")},
        received_at_all=WHOLE,
    )
    assert counted(database) == expected


@pytest.mark.parametrize(("held", "former"), [({NODE_B}, False), ({NODE_B, "stigmem://x"}, True)])
def test_facts_of_no_active_peer(held: set[str], former: bool) -> None:
    """Facts are a former peer's if they are from a node that is no active peer now."""
    received = dict.fromkeys(held, Received(5, "f5"))
    assert replace(snapshot(), received=received).has_facts_of_former_peers is former


def test_facts_of_every_sender() -> None:
    """If facts may have come otherwise than from their peer, the whole table is counted."""
    database = replace(
        snapshot(position="200.0", held=5), may_hold_indirect_facts=True, received_at_all=WHOLE
    )
    assert counted(database) == WHOLE
    assert database.received_from(NODE_B) == Received(5, "f5")


@pytest.mark.parametrize("direction", ["outbound", "a direction"])
def test_no_facts_but_inbound(direction: str) -> None:
    """Facts belong to an inbound position alone."""
    sent = {("b", direction): Cursor("b", direction, "200.0", "t")}
    assert counted(replace(snapshot(held=5), cursors=sent)) is None


def rows(*cursors: Cursor) -> Snapshot:
    """Return a database with two peers and these rows of positions."""
    peers = (Peer("c", "stigmem://node-c", "https://c", "revoked"), peer())
    return replace(snapshot(peers=peers), cursors={cursor.key: cursor for cursor in cursors})


def test_every_known_peer_by_node_id() -> None:
    """A checkpoint has every position of the peers that are known, by node id and direction."""
    stored = [
        Cursor("c", "inbound", "3.0", "2026-05-02T18:25:00+02:00"),
        Cursor("b", "outbound", "2.0", "2026-05-02T18:25:00Z"),
        Cursor("gone", "inbound", "9.0", "t"),
        Cursor("b", "inbound", "1.0", "2026-05-02T18:25:00Z"),
    ]
    found = checkpoint.build(rows(*stored), NOW)
    time, earlier = "2026-05-02T18:25:00Z", "2026-05-02T16:25:00Z"
    none = Received(0, None)
    assert found.entries == [
        Entry("b", NODE_B, "", "active", "inbound", "1.0", time, none),
        Entry("b", NODE_B, "", "active", "outbound", "2.0", time, None),
        Entry("c", "stigmem://node-c", "https://c", "revoked", "inbound", "3.0", earlier, none),
    ]


def test_what_a_checkpoint_says_of_itself() -> None:
    """It has the time to the second, the node, the database and the program."""
    found = checkpoint.build(replace(snapshot(table=False), database="s\udcff.db"), NOW)
    assert (found.timestamp, found.node_id) == ("2026-05-03T01:02:03Z", NODE_A)
    assert (found.db_path, found.entries) == (r"s\udcff.db", [])
    assert found.generator == f"stigmem-cursor-plugin {__version__}"
    assert (found.forced, found.after_loss, found.undo) == (False, False, False)


@pytest.mark.parametrize(
    ("stored", "written"),
    [("200.0", "200.0"), (None, None), ("2\n0", None), ("2\x7f0", None), ("2\x9f0", None)],
)
def test_position_that_cannot_be_written(stored: str | None, written: str | None) -> None:
    """A position with a control character is written as none."""
    (found,) = checkpoint.build(snapshot(position=stored), NOW).entries
    assert found.cursor == written


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("2026-05-02T18:25:00.25+00:00", "2026-05-02T18:25:00.250000Z"),
        ("2026-05-02T18:25:00", None),
        ("yesterday", None),
        ("9999-12-31T23:59:59-10:00", None),
        ("0999-12-31T00:00:00Z", None),
        ("1000-12-31T00:00:00Z", None),
        ("1001-01-01T00:00:00Z", "1001-01-01T00:00:00Z"),
    ],
)
def test_when_a_position_moved(stored: str, written: str | None) -> None:
    """The time of a position is written in UTC, where it is a time with a zone."""
    (found,) = checkpoint.build(rows(Cursor("b", "inbound", "1.0", stored)), NOW).entries
    assert found.updated_at == written


@pytest.mark.parametrize(("position", "table"), [("1.0", True), (None, True), (None, False)])
def test_undo_holds_what_was_there(position: str | None, table: bool) -> None:
    """An undo checkpoint has the position that an import overwrites, or none."""
    database = snapshot(position=position, table=table)
    written = [Cursor("b", "inbound", "2.0", "now")]
    found = checkpoint.build_undo(written, {}, database, NOW)
    assert found.undo
    assert [(item.peer_id, item.cursor) for item in found.entries] == [("b", position)]
    other = checkpoint.build_undo(
        [Cursor("b", "outbound", "2.0", "2026-05-02T18:25:00Z")], {}, database, NOW
    )
    assert [(item.cursor, item.updated_at) for item in other.entries] == [(None, None)]


def test_undo_proves_no_false_position() -> None:
    """With a position whose facts are missing stands what showed that, not the facts left."""
    database, shown = snapshot(position="1.0", held=2), Received(5, "f5")
    emptied = [Cursor("b", "inbound", None, "now")]
    found = checkpoint.build_undo(emptied, {("b", "inbound"): shown}, database, NOW)
    assert [item.received for item in found.entries] == [shown]


def test_positions_are_counted() -> None:
    """Entries without a position, or with an empty one, do not count."""
    assert checkpoint_of().position_count == 0
    assert checkpoint_of(entry("1.0"), entry(None), entry(""), entry("2.0")).position_count == 2


@pytest.mark.parametrize(
    ("written_by", "node_id", "other"),
    [
        (NODE_A, NODE_A, False),
        (NODE_A, NODE_B, True),
        (NODE_B, NODE_A, True),
        (NODE_A, None, False),
        (None, NODE_A, False),
        (None, None, False),
    ],
)
def test_whose_it_is(written_by: str | None, node_id: str | None, other: bool) -> None:
    """It is another node's if both say who they are, and differ."""
    assert checkpoint_of(node_id=written_by).is_of_another_node(node_id) is other


@pytest.mark.parametrize(
    "text", ["2026-05-02T18:30:59Z", "2026-05-02t18:30:60z", "2026-05-02T20:30:59+02:00"]
)
def test_time(text: str) -> None:
    """A time may have any zone and small letters; a leap second is the second before."""
    moment = datetime(2026, 5, 2, 18, 30, 59, tzinfo=UTC)
    assert replace(checkpoint_of(), timestamp=text).time == moment
    assert rfc3339(moment) == "2026-05-02T18:30:59Z"


def test_unusable() -> None:
    """A position that could not be written down is told from one that is not there."""
    database, empty = snapshot(position="1\n2"), snapshot()
    written = checkpoint.build(database, NOW)
    assert list(checkpoint.unusable(written, database)) == list(written.entries)
    assert list(checkpoint.unusable(checkpoint.build(empty, NOW), empty)) == []
    good = snapshot(position="200.0")
    assert list(checkpoint.unusable(checkpoint.build(good, NOW), good)) == []


AT_ONE = datetime(2026, 5, 2, 13, tzinfo=UTC)


def test_newest_first() -> None:
    """The future counts as oldest; of two with one time the one named later counts as newer."""
    first, second = checkpoint_of(hour=1), replace(checkpoint_of(hour=1), name="again.json")
    newest = checkpoint_of(hour=2)
    future = replace(checkpoint_of(), timestamp="2026-05-02T13:01:01Z")
    assert list(checkpoint.newest_first([future, first, second, newest], AT_ONE)) == [
        newest,
        second,
        first,
        future,
    ]


def test_clocks_may_differ_by_a_minute() -> None:
    """A checkpoint a minute ahead is not from the future."""
    ahead = replace(checkpoint_of(), timestamp="2026-05-02T13:01:00Z")
    assert list(checkpoint.newest_first([checkpoint_of(), ahead], AT_ONE)) == [
        ahead,
        checkpoint_of(),
    ]
