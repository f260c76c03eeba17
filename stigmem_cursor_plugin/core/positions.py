"""Positions: what a cursor's text says, for people; the node itself compares the text.

A position is a hybrid logical clock, ``{milliseconds since 1970}.{counter}`` (host behaviour,
stigmem-node 0.9.0a1 to 0.9.0a12). Any other text is opaque: it can be kept and restored, not
read.
"""

import re
from datetime import UTC, datetime, timedelta

_CLOCK = re.compile(r"([0-9]{1,15})\.([0-9]{1,15})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def clock(position: str | None) -> tuple[int, int] | None:
    """Return milliseconds and counter, or None for no position or an opaque one."""
    found = _CLOCK.fullmatch(position or "")
    return (int(found[1]), int(found[2])) if found else None


def time_of(position: str | None) -> datetime | None:
    """Return the time of a position in UTC, or None where it has none."""
    parsed = clock(position)
    try:
        return _EPOCH + timedelta(milliseconds=parsed[0]) if parsed else None
    except OverflowError:
        return None


def shown(position: str | None) -> str:
    """Return a position for a person: its time to the second, else the text itself."""
    if position is None:
        return "none"
    time = time_of(position)
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else position


def direction_of_move(before: str, after: str | None) -> str:
    """Return ``forward``, ``back``, or ``elsewhere`` for opaque positions."""
    if after is None:
        return "back"
    old, new = clock(before), clock(after)
    if old is None or new is None:
        return "elsewhere"
    return "back" if new < old else "forward"
