"""Positions: what a cursor's text says, and which of two comes first.

A position is a hybrid logical clock, ``{milliseconds since 1970}.{counter}`` (host behaviour,
stigmem-node 0.9.0a1 to 0.9.0a12). Any other text is opaque: it can be kept and restored, not
read. A node serves its facts in the order of the text, so within a millisecond ``.10`` comes
before ``.9``.
"""

import re
from datetime import UTC, datetime, timedelta
from enum import Enum

_CLOCK = re.compile(r"([0-9]{1,15})\.([0-9]{1,15})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Move(Enum):
    """Where one position lies as seen from another; the value is the word for it."""

    NONE = "nowhere"
    FORWARD = "forward"
    BACK = "back"
    ELSEWHERE = "elsewhere"
    """The first is none, or one of the two is opaque."""


def clock(position: str | None) -> tuple[int, str] | None:
    """Return milliseconds and the counter's text, or None for no position or an opaque one.

    Of two such clocks the smaller one is served first.
    """
    found = _CLOCK.fullmatch(position or "")
    return (int(found[1]), found[2]) if found else None


def time_of(position: str | None) -> datetime | None:
    """Return the time of a position in UTC, or None where it has none."""
    parsed = clock(position)
    try:
        return _EPOCH + timedelta(milliseconds=parsed[0]) if parsed else None
    except OverflowError:
        return None


def is_served_before(one: str | None, other: str | None) -> bool:
    """Tell whether a node serves *one* first: it compares the text, and no position comes first."""
    return (one or "") < (other or "")


def move(before: str | None, after: str | None) -> Move:
    """Return which way it is from one position to another.

    To no position, it is back. From none, it is elsewhere.
    """
    if before == after:
        return Move.NONE
    if after is None:
        return Move.BACK
    old, new = clock(before), clock(after)
    if old is None or new is None:
        return Move.ELSEWHERE
    return Move.BACK if new < old else Move.FORWARD
