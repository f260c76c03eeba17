"""The results as tables for a reader and as data for a program."""

import json
import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import linear_regression

from benchmarks.counting import Count
from benchmarks.environments import HOST, PLUGINS
from benchmarks.measure import Samples

FAST = "plugin[fast]"
TARGETS = {"export": 0.8, "import": 1.0, "stigmem --help": 1.15}
"""Ratios to the host's time to reach with the extra ``fast``."""
MEMORY = 1.0


@dataclass(frozen=True)
class Comparison:
    """One task of one size, done by each program."""

    task: str
    size: int
    samples: Mapping[str, Samples]

    def ratio(self, program: str) -> float:
        """Return the program's time as a part of the host's."""
        return self.samples[program].seconds / self.samples[HOST].seconds

    def memory(self, program: str) -> float:
        """Return the program's peak memory as a part of the host's."""
        return self.samples[program].mebibytes / self.samples[HOST].mebibytes

    @property
    def target(self) -> float | None:
        """The ratio to reach, where there is one."""
        found = [most for task, most in TARGETS.items() if self.task.startswith(task)]
        return found[0] if found else None


@dataclass(frozen=True)
class Results:
    """All that a run measured."""

    machine: Mapping[str, str]
    comparisons: Sequence[Comparison]
    counting: Sequence[Count]
    starting: Sequence[Comparison]


def machine(python: Path) -> dict[str, str]:
    """Describe what was measured on."""
    host = subprocess.run(
        [python, "-c", "from importlib.metadata import version; print(version('stigmem-node'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "stigmem-node": host.stdout.strip(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "cores": str(os.cpu_count()),
    }


def write(results: Results, directory: Path, *, keep: bool) -> str:
    """Return the tables, and write them and the data to *directory* if they are to be kept."""
    text = "\n".join(_page(results)) + "\n"
    if keep:
        (directory / "results.md").write_text(text, encoding="utf-8")
        (directory / "results.json").write_text(
            json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8"
        )
    return text


def _page(results: Results) -> Iterator[str]:
    known = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    yield from ("# Against the host's built-in commands", "")
    yield f"Written by `make bench` ({known})."
    yield "Whole processes, in turn. A ratio is the median time (or peak memory) divided by the"
    yield "host's in the same run; ± is half of the distance between the quartiles. **Bold** is a"
    yield "target that is missed."
    yield ""
    yield from _table(results.comparisons)
    yield from ("", "## Starting", "")
    yield from _table(results.starting)
    idle = results.starting[-1]
    added = idle.samples[FAST].seconds - idle.samples[HOST].seconds
    yield from ("", f"The startup file adds {added * 1000:.1f} ms to an interpreter (target 2).")
    yield from ("", "## Counting received facts", "")
    yield from ("| facts | seconds |", "|---:|---:|")
    yield from (f"| {count.facts:,} | {count.seconds:.3f} |" for count in results.counting)
    yield from ("", "The host does not count. Target: under 0.5 s for 1,000,000.")
    yield from ("", "## How the cost grows", "")
    yield from _growth(results)


def _table(comparisons: Sequence[Comparison]) -> Iterator[str]:
    names = list(PLUGINS)
    heads = [f"{name} | ratio | memory" for name in names]
    yield f"| task | size | host | memory | {' | '.join(heads)} | target |"
    yield f"|---|---:|---:|---:|{'---:|' * (3 * len(names) + 1)}"
    for item in comparisons:
        host = item.samples[HOST]
        size = f"{item.size:,}" if item.size else ""
        cells = [item.task, size, _seconds(host), f"{host.mebibytes:.0f} MiB"]
        for name in names:
            cells += [_seconds(item.samples[name]), _ratio(item, name), _memory(item, name)]
        cells.append(f"{item.target:g}" if item.target else "")
        yield f"| {' | '.join(cells)} |"


def _seconds(samples: Samples) -> str:
    return f"{samples.seconds:.3f} s ± {samples.spread:.0%}"


def _ratio(item: Comparison, name: str) -> str:
    missed = name == FAST and item.target is not None and item.ratio(name) > item.target
    return f"**{item.ratio(name):.2f}**" if missed else f"{item.ratio(name):.2f}"


def _memory(item: Comparison, name: str) -> str:
    missed = name == FAST and item.target is not None and item.memory(name) > MEMORY
    ratio = f"**{item.memory(name):.2f}**" if missed else f"{item.memory(name):.2f}"
    return f"{item.samples[name].mebibytes:.0f} MiB, {ratio}"


def _growth(results: Results) -> Iterator[str]:
    yield "Least squares over the sizes: seconds = fixed + cursors times what one costs."
    yield ""
    yield "| task | program | fixed, s | per 1,000 cursors, ms |"
    yield "|---|---|---:|---:|"
    for task in dict.fromkeys(item.task for item in results.comparisons):
        items = [item for item in results.comparisons if item.task == task]
        if len(items) > 2:
            for name in (HOST, *PLUGINS):
                sizes = [float(item.size) for item in items]
                line = linear_regression(sizes, [item.samples[name].seconds for item in items])
                yield f"| {task} | {name} | {line.intercept:.3f} | {line.slope * 1e6:.2f} |"
    if len(results.counting) > 2:
        counts = linear_regression(
            [float(count.facts) for count in results.counting],
            [count.seconds for count in results.counting],
        )
        yield ""
        yield (
            f"Counting: {counts.intercept:.3f} s fixed and {counts.slope * 1e9:.0f} ms for each "
            "1,000,000 facts."
        )
