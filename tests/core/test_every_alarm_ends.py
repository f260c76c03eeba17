"""All states of a small node: what an alarm advises ends it."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from stigmem_cursor_plugin.core import recovery, retention
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.remedies import Remedy, remedies
from stigmem_cursor_plugin.core.snapshot import Received, Snapshot
from tests.snapshots import MOVED, NODE_B, checkpoint_of, entry, snapshot

NOW = datetime(2026, 5, 3, tzinfo=UTC)
OFFERED = (1, 2, 3)
MOST_ROUNDS = 4


@dataclass(frozen=True)
class State:
    """When checkpoints were made, the position, and the facts held, all by the number of a fact.

    The position moved with a page, or an import has put it there.
    """

    checkpoints: tuple[int, ...]
    position: int | None
    held: tuple[int, ...]
    moved_with_page: bool


def states() -> Iterator[State]:
    """Yield every state: any checkpoints, any position, the facts up to any of them."""
    for count in range(len(OFFERED) + 1):
        for checkpoints in itertools.combinations(OFFERED, count):
            for position in (None, *OFFERED):
                for held, moved in itertools.product(range(len(OFFERED) + 1), (False, True)):
                    yield State(checkpoints, position, OFFERED[:held], moved)


def checkpoints_of(state: State) -> list[Checkpoint]:
    """Return the checkpoints, the newest first."""
    return [
        checkpoint_of(
            entry(f"{number}.0", Received(number, f"f{number}"), updated_at=MOVED), hour=number
        )
        for number in reversed(state.checkpoints)
    ]


def database_of(state: State) -> Snapshot:
    """Return the node's database."""
    empty = snapshot(
        position=f"{state.position}.0" if state.position else None,
        moved_with_page=state.moved_with_page and state.position in state.held,
    )
    facts = {f"f{number}": NODE_B for number in state.held}
    received = {NODE_B: Received(len(facts), f"f{max(state.held)}")} if facts else {}
    return replace(empty, received=received, held=facts)


def done(state: State, remedy: Remedy) -> State:
    """Return the state after one of the commands that an alarm names."""
    if remedy is Remedy.CATCH_UP:
        fetched = {number for number in OFFERED if number > (state.position or 0)}
        held = tuple(sorted({*state.held, *fetched}))
        moved = state.moved_with_page or bool(fetched)
        return State(state.checkpoints, OFFERED[-1], held, moved)
    force = remedy is Remedy.IMPORT_WITH_FORCE
    plan = recovery.plan(checkpoints_of(state), database_of(state), NOW, force=force)
    for cursor in plan.cursors("t"):
        number = int(float(cursor.position)) if cursor.position else None
        state = replace(state, position=number, moved_with_page=cursor.updated_at != "t")
    return state


def ends(state: State) -> bool:
    """Do what the alarm names, again and again; tell whether it ends."""
    for _ in range(MOST_ROUNDS):
        checkpoints, database = checkpoints_of(state), database_of(state)
        alarm = retention.alarm(checkpoints, database)
        if not alarm:
            return True
        for remedy in remedies(alarm, checkpoints, database, NOW):
            state = done(state, remedy)
    return False


def test_every_alarm_ends_by_the_commands_that_it_names() -> None:
    """In every state, while the peer still offers all facts."""
    assert [state for state in states() if not ends(state)] == []
