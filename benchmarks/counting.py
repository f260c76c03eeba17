"""What counting the facts received from each peer costs, apart from the process around it."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks import databases
from benchmarks.results import Count
from stigmem_cursor_plugin.stores.drivers import PLAIN
from stigmem_cursor_plugin.stores.transaction import SQLTransaction


def counting(template: Path, directory: Path, sizes: Sequence[int]) -> list[Count]:
    """Count the facts of databases of several sizes."""
    return [_count(template, directory / "counted.db", size) for size in sizes]


def _count(template: Path, path: Path, facts: int) -> Count:
    databases.filled(template, path, 100, facts)
    seconds = []
    for _ in range(9):
        connection = PLAIN.connect(path, "mode=ro")
        begun = time.perf_counter()
        SQLTransaction(connection).read()
        seconds.append(time.perf_counter() - begun)
        connection.close()
    return Count(facts, round(median(seconds), 4))
