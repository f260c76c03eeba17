"""What the operator of a soak takes from a message: the messages are the program's own."""

import pytest

from soak import reading
from soak.reading import NotCaughtUp, Wanted
from stigmem_cursor_plugin.core.catchup import Ending, Progress, Result
from stigmem_cursor_plugin.core.page import Ask, PageProblem, PageTrouble
from stigmem_cursor_plugin.core.remedies import Remedy
from stigmem_cursor_plugin.core.snapshot import Peer
from stigmem_cursor_plugin.reports import catchup, exporting
from stigmem_cursor_plugin.reports.program import Program

PEER = "stigmem://node-b"


def alarm(*steps: Remedy) -> str:
    """Return the alarm of an export to a directory."""
    return "\n".join(exporting.kept_directory("cursors/", steps, Program()))


def test_commands_of_an_alarm() -> None:
    """The commands come in the order in which the alarm names them."""
    said = alarm(Remedy.IMPORT_WITH_FORCE, Remedy.CATCH_UP)
    assert reading.commands(said) == [
        ("cursor-import", "--force", "cursors/"),
        ("cursor-catchup",),
    ]


def test_way_out_of_an_alarm() -> None:
    """The command that gives up facts is no step of the recovery."""
    said = alarm(Remedy.CATCH_UP)
    assert reading.way_out(said) == [("cursor-export", "--force", "--out", "cursors/")]
    assert reading.commands(said) == [("cursor-catchup",)]


def test_command_for_a_person() -> None:
    """A command whose file a person has to fill in is passed over."""
    said = f"stop the node and run {Program().command('import', file='FILE')}"
    assert reading.commands(said) == []


def not_caught_up(trouble: PageTrouble, detail: str) -> str:
    """Return what catch-up says of a peer that it did not finish with."""
    peer = Peer("1", PEER, "http://127.0.0.1", "active")
    progress = Progress(Ask(None, 500), 500, problem=PageProblem(trouble, detail))
    groups = catchup.groups([Result(peer, None, progress)])
    return "\n".join(line for group in groups for line in group.lines)


@pytest.mark.parametrize(
    ("trouble", "detail", "expected"),
    [
        (PageTrouble.NO_ANSWER, "connection refused", NotCaughtUp(Wanted.PEER_OR_REVOKE, PEER)),
        (PageTrouble.SERVER_ERROR, "502", NotCaughtUp(Wanted.PEER_OR_REVOKE, PEER)),
        (PageTrouble.DENIED, "401", NotCaughtUp(Wanted.PEER, PEER)),
        (PageTrouble.FACT_REFUSED, "id: clock in the future", NotCaughtUp(Wanted.SKIP, PEER)),
        (
            PageTrouble.FACT_REFUSED,
            "id: relayed origin 'stigmem://node-d' ('http://d') is unanchored and unreachable",
            NotCaughtUp(Wanted.ORIGIN, "stigmem://node-d"),
        ),
    ],
)
def test_peer_not_caught_up(trouble: PageTrouble, detail: str, expected: NotCaughtUp) -> None:
    """A peer that is not caught up needs somebody to answer, or a fact to be skipped."""
    assert reading.not_caught_up(not_caught_up(trouble, detail)) == [expected]


def test_facts_gone_through() -> None:
    """The last line of a catch-up says how many facts it went through."""
    peer = Peer("1", PEER, "http://127.0.0.1", "active")
    progress = Progress(Ask(None, 500), 500, new=1200, held=34)
    last = catchup.summary([Result(peer, None, progress)], 1.0, Ending.COMPLETE)
    assert reading.went_through(last) == 1234
