"""What counting the facts received from each peer costs, apart from the process around it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import databases
from stigmem_cursor_plugin.stores.base import SQLITE
from stigmem_cursor_plugin.stores.drivers import PLAIN


@dataclass(frozen=True)
class Count:
    """The number of facts and the median of the seconds that counting them takes."""

    facts: int
    seconds: float


def counting(template: Path, directory: Path, sizes: Sequence[int]) -> list[Count]:
    """Count the facts of databases of several sizes."""
    return [_count(template, directory / "counted.db", size) for size in sizes]


def _count(template: Path, path: Path, facts: int) -> Count:
    databases.filled(template, path, 100, facts)
    seconds = []
    for _ in range(9):
        connection = PLAIN.connect(path, "mode=ro")
        begun = time.perf_counter()
        connection.execute(SQLITE.received).fetchall()
        seconds.append(time.perf_counter() - begun)
        connection.close()
    return Count(facts, median(seconds))
