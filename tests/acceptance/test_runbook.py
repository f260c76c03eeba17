"""The runbook does what it says, on two real nodes."""

from pathlib import Path

import pytest

from tools import runbook
from tools.stories import Stage


@pytest.mark.long
def test_every_section(tmp_path: Path) -> None:
    """Every command prints what the page shows, and in the end no fact is missing."""
    sections = runbook.sections(runbook.PAGE.read_text(encoding="utf-8"))
    assert list(sections) == [
        "Planned maintenance",
        "Table dropped",
        "Database lost, with a backup",
        "Database wholly lost",
        "Positions withheld",
        "No checkpoint at all",
        "Wrong checkpoint imported",
        "Moving a node",
    ]
    stage = Stage(tmp_path)
    for heading, body in sections.items():
        # A section that starts the node waits there until every fact of the peer is held.
        assert "\n$ systemctl start stigmem-node\n" in body
        for step in runbook.play(stage, heading, body):
            assert runbook.steady(step.printed) == runbook.steady(step.shown), step.command
