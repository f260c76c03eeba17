"""What is said of each peer: caught up to where, or why not."""

from dataclasses import replace

import jsonschema
import pytest

from stigmem_cursor_plugin.checkpoints import schema
from stigmem_cursor_plugin.core.catchup import Ending, Result, begin
from stigmem_cursor_plugin.core.page import PageProblem, PageTrouble
from stigmem_cursor_plugin.core.snapshot import Peer
from stigmem_cursor_plugin.reports import catchup as report

NEWEST = "1725349500000.0"
PEER = Peer("id-b", "stigmem://node-b", "", "active")


@pytest.mark.parametrize("trouble", PageTrouble)
def test_every_trouble(trouble: PageTrouble) -> None:
    """Whatever went wrong, there is a sentence for it, and the published schema knows it."""
    problem = PageProblem(trouble, "why")
    result = Result(PEER, None, replace(begin(None), problem=problem))
    document = report.document([result], 1.0, Ending.INCOMPLETE)
    jsonschema.validate(document, schema.load("cursor-catchup-result.schema.json"))
    (peer,) = document["peers"]
    assert peer["trouble"] == trouble
    assert peer["message"] == report.sentence(problem, result.progress)


@pytest.mark.parametrize(
    ("position", "new", "said"),
    [
        (NEWEST, 1200, "caught up to 2024-09-03T07:45:00Z, 1,200 fact(s) fetched, 0 already held"),
        (NEWEST, 0, "caught up to 2024-09-03T07:45:00Z, 0 fact(s) fetched, 0 already held"),
        (None, 0, "caught up, it offers no facts"),
    ],
)
@pytest.mark.parametrize("live", [False, True])
def test_every_peer_that_is_caught_up(
    position: str | None, new: int, said: str, *, live: bool
) -> None:
    """A peer that is caught up has its line, with --live too, though nothing was to be fetched."""
    progress = replace(begin(position, live=live), caught_up=True, new=new)
    (group,) = report.groups([Result(PEER, None, progress)])
    assert (group.lines, group.total) == ([f"info: peer stigmem://node-b: {said}"], 1)
