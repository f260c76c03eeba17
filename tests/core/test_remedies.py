"""Which commands bring back what was lost."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stigmem_cursor_plugin.core import recovery, retention
from stigmem_cursor_plugin.core.checkpoint import Entry
from stigmem_cursor_plugin.core.remedies import Remedy, WayOn, remedies, way_on
from stigmem_cursor_plugin.core.retention import Alarm
from stigmem_cursor_plugin.core.snapshot import Cursor, Peer, Received, Snapshot
from tests.snapshots import NODE_B, checkpoint_of, entry, peer, snapshot

NOW = datetime(2026, 5, 3, tzinfo=UTC)
EARLIER, BEFORE, POSITION, AFTER = "50.0", "100.0", "200.0", "300.0"
COUNTED = Received(5, "f5")


@pytest.mark.parametrize(
    ("position", "held", "steps"),
    [
        (None, 5, [Remedy.IMPORT]),
        (None, 4, [Remedy.CATCH_UP]),
        (BEFORE, 5, [Remedy.IMPORT_WITH_FORCE]),
        (BEFORE, 4, [Remedy.CATCH_UP]),
        (POSITION, 4, [Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP]),
    ],
)
def test_remedies(position: str | None, held: int, steps: list[Remedy]) -> None:
    """Import where a checkpoint can be backed up, with --force over a position, else catch up."""
    earlier = [checkpoint_of(entry(POSITION, COUNTED))]
    database = snapshot(position=position, held=held)
    found = retention.alarm(earlier, database)
    assert remedies(found, earlier, database, NOW) == steps


@pytest.mark.parametrize(
    ("position", "steps"),
    [
        (None, [Remedy.IMPORT, Remedy.CATCH_UP]),
        (EARLIER, [Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP]),
        (BEFORE, [Remedy.CATCH_UP]),
        (AFTER, [Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP]),
    ],
)
def test_remedies_where_only_an_older_position_can_be_backed_up(
    position: str | None, steps: list[Remedy]
) -> None:
    """Import goes as far as the facts do; where that ends no alarm, catch-up goes on."""
    backed_up = entry(AFTER if position == AFTER else BEFORE, Received(4, "g4"))
    earlier = [checkpoint_of(entry(POSITION, COUNTED)), checkpoint_of(backed_up)]
    database = snapshot(position=position, held=4)
    database = replace(database, held={**database.held, "g4": NODE_B})
    found = retention.alarm(earlier, database)
    assert remedies(found, earlier, database, NOW) == steps


@pytest.mark.parametrize(
    ("position", "held", "steps"),
    [
        (None, 4, [Remedy.APPROVE, Remedy.CATCH_UP]),
        (POSITION, 4, [Remedy.APPROVE, Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP]),
        (None, 5, [Remedy.IMPORT]),
    ],
)
def test_remedy_of_a_peer_that_waits_for_approval(
    position: str | None, held: int, steps: list[Remedy]
) -> None:
    """It cannot be asked before it is approved; a position can be restored at once."""
    earlier = [checkpoint_of(entry(POSITION, COUNTED))]
    database = snapshot(peers=(peer(status="pending_approval"),), position=position, held=held)
    found = retention.alarm(earlier, database)
    assert remedies(found, earlier, database, NOW) == steps


def test_remedy_where_no_peer_is_known() -> None:
    """Import says which peers to register again."""
    earlier = [checkpoint_of(entry(POSITION))]
    emptied = Alarm([], earlier[0])
    assert remedies(emptied, earlier, snapshot(peers=()), NOW) == [Remedy.IMPORT]


def test_remedies_are_for_what_was_lost() -> None:
    """A peer that has lost nothing asks for no step."""
    fine = Entry("c", "stigmem://node-c", None, None, "inbound", BEFORE, None, Received(9, "g9"))
    earlier = [checkpoint_of(entry(POSITION, COUNTED), fine)]
    peers = (peer(), Peer("c", "stigmem://node-c", "", "active"))
    database = replace(
        snapshot(peers=peers, held=5),
        cursors={("c", "inbound"): Cursor("c", "inbound", AFTER, "t")},
        received={NODE_B: COUNTED, "stigmem://node-c": Received(9, "g9")},
    )
    database = replace(database, held={**database.held, "g9": "stigmem://node-c"})
    found = retention.alarm(earlier, database)
    assert remedies(found, earlier, database, NOW) == [Remedy.IMPORT]


def way(database: Snapshot, *entries: Entry) -> WayOn:
    """Return how to go on after an import of these entries, for a pull every 30 s."""
    return way_on(recovery.plan([checkpoint_of(*entries)], database, NOW), 30)


WAITS = peer(status="pending_approval")


@pytest.mark.parametrize(
    ("database", "steps"),
    [
        (snapshot(held=4), [Remedy.CATCH_UP]),
        (snapshot(held=4, position=POSITION), [Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP]),
        (snapshot(held=4, peers=(WAITS,)), [Remedy.APPROVE, Remedy.CATCH_UP]),
        (
            snapshot(held=4, peers=(WAITS,), position=POSITION),
            [Remedy.APPROVE, Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP],
        ),
    ],
    ids=["withheld", "false", "waits", "waits, and false"],
)
def test_way_on(database: Snapshot, steps: list[Remedy]) -> None:
    """Approve who waits, empty what is false, then catch up."""
    assert way(database, entry(POSITION, COUNTED)) == WayOn(steps, 1, 30)


def test_way_on_is_for_what_is_in_doubt() -> None:
    """A peer whose facts are there is neither approved nor counted."""
    done = peer("c", "pending_approval")._replace(node_id="stigmem://node-c")
    database = snapshot(held=4, peers=(peer(), done))
    fine = replace(entry(POSITION, Received(0, None)), peer_id="c", peer_node_id="stigmem://node-c")
    assert way(database, entry(POSITION, COUNTED), fine) == WayOn([Remedy.CATCH_UP], 1, 30)


def test_time_of_several_peers() -> None:
    """Catching up goes from peer to peer; the loop pulls from all of them at once."""
    others = [peer(name)._replace(node_id=f"stigmem://node-{name}") for name in ("c", "d")]
    lacking = [
        replace(entry(POSITION, received), peer_id=name, peer_node_id=f"stigmem://node-{name}")
        for name, received in (("c", Received(900, "x")), ("d", None))
    ]
    database = snapshot(held=4, peers=(peer(), *others))
    again = replace(lacking[1], peer_id="before")
    found = way(database, entry(POSITION, COUNTED), lacking[0], again)
    assert found == WayOn([Remedy.CATCH_UP], 3, 270)


def test_way_on_without_counts() -> None:
    """How long it takes cannot be told where no checkpoint counts the facts."""
    again = replace(entry(POSITION), peer_id="before")
    assert way(snapshot(), again) == WayOn([Remedy.CATCH_UP], 0, 0)


def test_way_on_from_one_false_position_of_two() -> None:
    """One position that must be emptied first is enough."""
    other = peer("c")._replace(node_id="stigmem://node-c")
    database = snapshot(held=4, peers=(peer(), other), position=POSITION)
    cursors = {key: cursor for key, cursor in (database.cursors or {}).items() if key[0] == "b"}
    lacking = replace(entry(POSITION, COUNTED), peer_id="c", peer_node_id="stigmem://node-c")
    found = way(replace(database, cursors=cursors), entry(POSITION, COUNTED), lacking)
    assert found == WayOn([Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP], 2, 30)
