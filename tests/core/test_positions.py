"""What a cursor's text says, and which way it is from one position to another."""

from datetime import UTC, datetime

import pytest

from stigmem_cursor_plugin.core import positions
from stigmem_cursor_plugin.core.positions import Move

OPAQUE = ["", "5", ".5", "5.", "5.5x", "x5.5", "-5.5", "1234567890123456.0"]


@pytest.mark.parametrize("text", [None, *OPAQUE])
def test_text_that_is_no_clock(text: str | None) -> None:
    """Any text but milliseconds and a counter has no time."""
    assert positions.clock(text) is None
    assert positions.time_of(text) is None


def test_clock() -> None:
    """A position is milliseconds since 1970, and a counter."""
    assert positions.clock("1725349500250.7") == (1725349500250, "7")
    moment = datetime(2024, 9, 3, 7, 45, 0, 250_000, tzinfo=UTC)
    assert positions.time_of("1725349500250.7") == moment


def test_time_too_far_ahead() -> None:
    """A position past the year 9999 has no time."""
    assert positions.time_of("999999999999999.0") is None


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        ("5.0", "5.0", Move.NONE),
        ("opaque", "opaque", Move.NONE),
        (None, None, Move.NONE),
        ("5.0", None, Move.BACK),
        ("opaque", None, Move.BACK),
        ("5.0", "6.0", Move.FORWARD),
        ("5.9", "5.10", Move.BACK),
        ("5.10", "5.9", Move.FORWARD),
        ("5.0", "05.0", Move.FORWARD),
        ("6.0", "5.9", Move.BACK),
        ("10.0", "9.0", Move.BACK),
        ("5.0", "opaque", Move.ELSEWHERE),
        ("opaque", "5.0", Move.ELSEWHERE),
        (None, "5.0", Move.ELSEWHERE),
    ],
)
def test_way_from_one_to_another(before: str | None, after: str | None, way: Move) -> None:
    """Clocks tell forward from back, in the order of serving; other text cannot tell."""
    assert positions.move(before, after) is way
