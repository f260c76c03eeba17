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
from typing import Any

from benchmarks.environments import HOST, PLUGINS
from benchmarks.measure import Figures

FAST = "plugin[fast]"
MANY = 10_000
"""Cursors from which another ratio is to be reached."""
TARGETS = {
    "export over": (0.8, 1.4),
    "export": (0.7, 1.0),
    "import": (0.85, 1.3),
    "stigmem --help": (1.15, 1.15),
}
"""Ratios to the host's time to reach with the extra ``fast``: below MANY cursors, and there."""
PLAIN_IMPORT = 1.0
"""The ratio to reach for an import without the extra, up to PLAIN_MANY cursors."""
PLAIN_MANY = 100
MEMORY = 1.0
DATA = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Comparison:
    """One task of one size, done by each program."""

    task: str
    size: int
    programs: Mapping[str, Figures]

    def ratio(self, program: str) -> float:
        """Return the program's time as a part of the host's."""
        return self.programs[program].seconds / self.programs[HOST].seconds

    def memory(self, program: str) -> float:
        """Return the program's peak memory as a part of the host's."""
        return self.programs[program].mebibytes / self.programs[HOST].mebibytes

    def target(self, program: str) -> float | None:
        """Return the ratio that the program is to reach, if there is one."""
        if "facts" in self.task:
            return None
        if program != FAST:
            plain = self.task.startswith("import") and self.size <= PLAIN_MANY
            return PLAIN_IMPORT if plain else None
        found = [ratios for task, ratios in TARGETS.items() if self.task.startswith(task)]
        return found[0][self.size >= MANY] if found else None


@dataclass(frozen=True)
class Count:
    """The number of facts and the median of the seconds that counting them takes."""

    facts: int
    seconds: float


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


def save(results: Results) -> None:
    """Write what the tables are made of, a line for each row of them."""
    parts = []
    for name, value in asdict(results).items():
        rows = [json.dumps(row) for row in ([value] if name == "machine" else value)]
        text = ",\n  ".join(rows)
        parts.append(f' "{name}": ' + (rows[0] if name == "machine" else f"[\n  {text}\n ]"))
    DATA.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def load() -> Results:
    """Read what :func:`save` has written."""
    data = json.loads(DATA.read_bytes())
    return Results(
        machine=data["machine"],
        comparisons=[_comparison(row) for row in data["comparisons"]],
        counting=[Count(**row) for row in data["counting"]],
        starting=[_comparison(row) for row in data["starting"]],
    )


def _comparison(row: dict[str, Any]) -> Comparison:
    programs = {name: Figures(**figures) for name, figures in row["programs"].items()}
    return Comparison(row["task"], row["size"], programs)


def page(results: Results) -> str:
    """Return the tables as a page."""
    return "\n".join(_page(results)) + "\n"


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
    added = idle.programs[FAST].seconds - idle.programs[HOST].seconds
    yield from ("", f"The startup file adds {added * 1000:.1f} ms to an interpreter (target 2).")
    yield from ("", "## Counting received facts", "")
    yield from ("| facts | seconds |", "|---:|---:|")
    yield from (f"| {count.facts:,} | {count.seconds:.3f} |" for count in results.counting)
    yield from ("", "The host does not count. Target: under 0.5 s for 1,000,000.")


def _table(comparisons: Sequence[Comparison]) -> Iterator[str]:
    heads = [f"{name} | ratio | memory" for name in PLUGINS]
    yield f"| task | size | host | memory | {' | '.join(heads)} | target |"
    yield f"|---|---:|---:|---:|{'---:|' * (3 * len(PLUGINS) + 1)}"
    for item in comparisons:
        host = item.programs[HOST]
        size = f"{item.size:,}" if item.size else ""
        cells = [item.task, size, _seconds(host), f"{host.mebibytes:.0f} MiB"]
        for name in PLUGINS:
            cells += _cells(item, name) if name in item.programs else ["", "", ""]
        target = item.target(FAST)
        cells.append(f"{target:g}" if target else "")
        yield f"| {' | '.join(cells)} |"


def _cells(item: Comparison, name: str) -> list[str]:
    found, target = item.programs[name], item.target(name)
    memory = _ratio(item.memory(name), MEMORY if target else None)
    return [
        _seconds(found),
        _ratio(item.ratio(name), target),
        f"{found.mebibytes:.0f} MiB, {memory}",
    ]


def _seconds(figures: Figures) -> str:
    return f"{figures.seconds:.3f} s ± {figures.spread:.0%}"


def _ratio(ratio: float, target: float | None) -> str:
    missed = target is not None and round(ratio, 2) > target
    return f"**{ratio:.2f}**" if missed else f"{ratio:.2f}"
