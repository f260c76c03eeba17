"""Durations, positions and tables for a person, and lines that are shown as a group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stigmem_cursor_plugin.core.positions import time_of
from stigmem_cursor_plugin.terminal import printable


@dataclass(frozen=True, slots=True)
class Group:
    """The first few lines about one thing, and how many there are in all."""

    lines: Sequence[str]
    total: int


def shown(position: str | None) -> str:
    """Return a position for a person: its time to the second, else the text itself."""
    if position is None:
        return "none"
    time = time_of(position)
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else position


def apart(position: str | None, other: str | None) -> tuple[str, str]:
    """Return two different positions for a person, so that they do not look alike."""
    one, two = shown(position), shown(other)
    # Within one second only the texts differ.
    return (one, two) if one != two else (str(position), str(other))


def duration(seconds: float) -> str:
    """Return a duration in the largest unit of which there are two or more."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


def table(rows: Sequence[Sequence[str]], width: int | None = None) -> list[str]:
    """Return rows, the first of which is the heading, as lines of aligned columns.

    The names in the first column are cut so that a line is no longer than *width*, and no two of
    them look the same. Without a width, or where too little room is left for names, none is cut.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width is not None:
        room = width - sum(widths[1:]) - 2 * len(widths[1:])
        heading, *others = rows
        names = cut_to_width([row[0] for row in others], room)
        rows = [heading, *([names[row[0]], *row[1:]] for row in others)]
        widths[0] = max(len(row[0]) for row in rows)
    return [
        "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


SCHEME = "stigmem://"

SHORTEST = 8
"""The fewest characters of a name that tell a reader anything."""


def cut_to_width(names: Sequence[str], width: int) -> Mapping[str, str]:
    """Return each name cut to *width*, so that different names stay different.

    The scheme that all node ids have goes first, then the longest part that still leaves them
    apart. Where nothing does, or less than :data:`SHORTEST` is left, they keep their length.
    """
    distinct = list(dict.fromkeys(names))
    if width < SHORTEST or all(len(name) <= width for name in distinct):
        return {name: name for name in distinct}
    bare = {name: name.removeprefix(SCHEME) for name in distinct}
    # The beginning of a host name tells more than its end; where it does not, keep both.
    for head in (width - 1, width // 2, *range(width - 2, -1, -1)):
        cut = {name: _cut(text, head, width) for name, text in bare.items()}
        if len(set(cut.values())) == len(distinct):
            return cut
    return bare if len(set(bare.values())) == len(distinct) else {name: name for name in distinct}


def _cut(text: str, head: int, width: int) -> str:
    tail = width - 1 - head
    return text if len(text) <= width else f"{text[:head]}…{text[len(text) - tail :]}"
