"""A minute of the soak: four real nodes with faults, recovered by the runbook alone."""

from pathlib import Path

import pytest

from soak import report, results
from soak.striking import Soak, play

pytestmark = pytest.mark.slow


def test_a_minute(tmp_path: Path) -> None:
    """No fact is missing, none is there twice, every alarm has ended, and no command failed."""
    soak = Soak(seed=1, seconds=60)
    record = results.record(soak, *play(soak, tmp_path))
    assert record.losses, "nothing was lost"
    assert not any((record.missing, record.twice, *record.problems)), report.summary(record)
