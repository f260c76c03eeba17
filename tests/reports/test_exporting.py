"""What an alarm of export says to do."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from stigmem_cursor_plugin.core.loss import Loss, LossKind
from stigmem_cursor_plugin.core.remedies import Remedy
from stigmem_cursor_plugin.reports import exporting
from stigmem_cursor_plugin.reports.program import Program
from tests.snapshots import checkpoint_of, entry, peer


@pytest.mark.parametrize(
    ("steps", "gives_up"),
    [
        ([Remedy.IMPORT], False),
        ([Remedy.IMPORT_WITH_FORCE], True),
        ([Remedy.CATCH_UP], True),
        ([Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP], True),
    ],
)
@pytest.mark.parametrize("said", [exporting.kept_file, exporting.kept_directory])
def test_how_to_give_up(
    said: Callable[[str, Sequence[Remedy], Program], Sequence[str]],
    steps: Sequence[Remedy],
    gives_up: bool,
) -> None:
    """Where facts are to come back, the last line says what to do if no peer has them any more.

    Import goes back to an older checkpoint, too: the node's own loop then fetches, or does not.
    """
    last = said("cursors/", steps, Program())[-1]
    expected = "accept the loss: `stigmem federation cursor-export --force --out cursors/`"
    assert last.endswith(expected) is gives_up


@pytest.mark.parametrize(
    ("position", "said"),
    [
        ("1725349499999.0", "is back at 2024-09-03T07:44:59Z; it was 2024-09-03T07:45:00Z"),
        ("1725349500000.10", "is back at 1725349500000.10; it was 1725349500250.0"),
    ],
)
def test_positions_that_moved_back_never_look_alike(position: str, said: str) -> None:
    """Two positions are said as times; within one second as they are in the database."""
    held = entry("1725349500250.0")
    moved = Loss(LossKind.MOVED_BACK, checkpoint_of(held), held, peer(), position)
    assert exporting.loss(moved) == f"peer stigmem://node-b (inbound) {said}"


@pytest.mark.parametrize(
    ("db_path", "said"), [("s.db", "it is of the database s.db, and knows"), (None, "it knows")]
)
def test_another_nodes_checkpoint(db_path: str | None, said: str) -> None:
    """Its database is named where the checkpoint says which it was."""
    given = replace(checkpoint_of(), db_path=db_path)
    assert f"checkpoint: {said} none of the peers" in exporting.seems_foreign(given)


def test_a_peer_is_approved_before_it_is_asked() -> None:
    """The first step of the way back is the approval."""
    steps = [Remedy.APPROVE, Remedy.CATCH_UP]
    assert exporting.kept_directory("cursors", steps, Program())[1] == (
        "approve the peers that wait for it, then stop the node and run `stigmem federation "
        "cursor-catchup`"
    )
