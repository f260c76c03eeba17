"""docs/comparison.md: the host's commands and these, case by case."""

import pytest

from tests.running import ROOT
from tools import comparison


@pytest.mark.slow
def test_every_case_ends_as_the_page_says() -> None:
    """What both programs do is what the table shows."""
    shown = (
        (ROOT / "docs" / "comparison.md")
        .read_text(encoding="utf-8")
        .partition(comparison.HEADING)[2]
    )
    assert comparison.table() == shown.split("\n\n")[0].strip().splitlines()
