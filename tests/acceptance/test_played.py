"""docs/comparison.md and docs/runbook.md, played on real nodes.

The stories with the host's commands and ours, the sections of the runbook with ours.
"""

import re

import pytest

from tests.running import ROOT
from tools import runbook
from tools.stories import HEADING, STORIES, Ending, Stage, play, row

STATUS = {
    "cursor table dropped": (1, 0),
    "database lost, peers registered again": (0, 3),
    "facts and positions lost, peers kept": (0, 3),
    "last night's backup, directory of checkpoints": (0, 0),
    "host's own checkpoint, database lost, peers registered again": (0, 3),
    "host's own checkpoint, last night's backup": (0, 3),
    "last night's backup, the peer gone, its facts at a relay": (0, 3),
    "the same, directory of checkpoints": (0, 0),
    "checkpoint of a staging copy": (0, 1),
    "import while the node runs": (0, 1),
}
RACE = "import while the node runs"


def without_host(line: str) -> str:
    """Blank the host's cells: what its import does to a running node depends on the moment."""
    return re.sub(r"(\| [^|]+ \|) [^|]+ \| [^|]+ \|", r"\1", line, count=1)


def table() -> dict[str, str]:
    """Return the rows of the page by the name of their story."""
    page = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
    assert HEADING in page
    lines = page.partition(HEADING)[2].split("\n\n")[0].strip().splitlines()
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Two stopped nodes with a history."""
    return Stage(tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="module")
def relaying_stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Three stopped nodes with a history, one of which is a relay."""
    return Stage(tmp_path_factory.mktemp("relaying"), relays=True)


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_story_ends_as_the_page_says(request: pytest.FixtureRequest, story: str) -> None:
    """The row is what the nodes do, and with this plugin no fact is skipped."""
    stage = request.getfixturevalue("relaying_stage" if STORIES[story].relays else "stage")
    host, plugin = play(stage, story, plugin=False), play(stage, story, plugin=True)
    assert (host.status, plugin.status) == STATUS[story], (host.said, plugin.said)
    assert plugin.held == 35
    played, shown = row(story, host, plugin), table()[story]
    if story == RACE:
        played, shown = without_host(played), without_host(shown)
    assert played == shown


def test_every_story_is_on_the_page() -> None:
    """The table has a row for each story, in their order."""
    assert list(table()) == list(STORIES)


def test_row() -> None:
    """A row names the story, shows what each program came to, and how to see it."""
    line = row(RACE, Ending(5, 6, 0, ""), Ending(35, 36, 0, ""))
    assert line == f"| {RACE} | 5 of 35 | 6 | 35 of 35 | 36 | `make story-running` |"
    assert without_host(line) == f"| {RACE} | 35 of 35 | 36 | `make story-running` |"


SECTIONS = runbook.sections(runbook.PAGE.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("heading", SECTIONS)
def test_section(stage: Stage, heading: str) -> None:
    """Every command prints what the page shows, and in the end no fact is missing."""
    body = SECTIONS[heading]
    # A section that starts the node waits there until every fact of a peer that runs is held.
    assert "\n$ systemctl start stigmem-node\n" in body
    for step in runbook.play(stage, heading, body):
        assert runbook.steady(step.printed) == runbook.steady(step.shown), step.command


def test_sections() -> None:
    """The page has a section for each kind of loss."""
    assert list(SECTIONS) == [
        "Planned maintenance",
        "Table dropped",
        "Database lost, with a backup",
        "Database wholly lost",
        "Positions withheld",
        "No checkpoint at all",
        "A peer is gone for good",
        "Wrong checkpoint imported",
        "Moving a node",
    ]
