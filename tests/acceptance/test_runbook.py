"""The runbook does what it says, on two real nodes."""

import pytest

from tools import runbook
from tools.stories import Stage

SECTIONS = runbook.sections(runbook.PAGE.read_text(encoding="utf-8"))
COMMON = ("Table dropped", "Positions withheld")
"""What is played in each run of the tests; the others are slow."""


@pytest.mark.long
@pytest.mark.parametrize(
    "heading",
    [name if name in COMMON else pytest.param(name, marks=pytest.mark.slow) for name in SECTIONS],
)
def test_section(stage: Stage, heading: str) -> None:
    """Every command prints what the page shows, and in the end no fact is missing."""
    body = SECTIONS[heading]
    # A section that starts the node waits there until every fact of the peer is held.
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
        "Wrong checkpoint imported",
        "Moving a node",
    ]
