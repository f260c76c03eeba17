"""Durations, costs and tables for a person."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from stigmem_cursor_plugin.core.positions import time_of
from stigmem_cursor_plugin.terminal import printable

PAGE = 100
"""Facts that a node fetches from a peer in one pull (stigmem-node 0.9.0a12)."""

CATCH_UP_RATE = 1_000
"""Facts that cursor-catchup fetches in a second, rounded down (``benchmarks/catchup.md``)."""


@dataclass(frozen=True, slots=True)
class Repull:
    """The cost of fetching facts from one peer again, by the node's loop and by catch-up.

    The loop fetches a page at each pull interval, in seconds (runbook, "Problem").
    """

    facts: int
    pull_interval: int

    @property
    def pages(self) -> int:
        """How many pulls it takes."""
        return -(-self.facts // PAGE)

    @property
    def seconds(self) -> int:
        """How long the loop takes."""
        return self.pages * self.pull_interval

    @property
    def catch_up_seconds(self) -> int:
        """How long cursor-catchup takes."""
        return -(-self.facts // CATCH_UP_RATE)


def shown(position: str | None) -> str:
    """Return a position for a person: its time to the second, else the text itself."""
    if position is None:
        return "none"
    time = time_of(position)
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time else position


def duration(seconds: float) -> str:
    """Return a duration in the largest unit of which there are two or more."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows, the first of which is the heading, as lines of aligned columns.

    On a terminal the first column is cut so that a line fits; in a pipe nothing is cut.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if sys.stdout.isatty():
        rest = sum(widths[1:]) + 2 * len(widths[1:])
        widths[0] = min(widths[0], max(8, shutil.get_terminal_size().columns - rest))
    return [
        "  ".join(
            _fitted(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _fitted(cell: str, width: int) -> str:
    # The end of a node id tells more than its beginning.
    return cell if len(cell) <= width else f"…{cell[len(cell) - width + 1 :]}"
