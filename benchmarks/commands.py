"""Compare the commands with those that the host has built in.

Usage: python -m benchmarks.commands    writes benchmarks/results.md and results.json
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from benchmarks import databases, environments
from benchmarks.counting import counting
from benchmarks.measure import Sample, in_turn, once
from benchmarks.results import DATA, Comparison, Results, machine, page, save
from tools.hosts import ROOT

CURSORS = (3, 100, 1_000, 10_000)
WITHOUT_FAST = (3, 100, 1_000)
"""Cursors that the plugin without its extra ``fast`` is measured with."""
FACTS = (0, 1_000_000)
ROUNDS = {3: 15, 100: 15, 1_000: 15, 10_000: 9}
PEERS_OF_FACTS = 100
OTHER_POSITION = "1725349400000.0"


def main() -> None:
    """Measure everything, print the tables and write them."""
    programs = environments.make(ROOT / ".cache" / "benchmarks")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        template = databases.migrated(
            programs[environments.HOST] / "python", directory / "empty.db"
        )
        found = [
            *(item for size in CURSORS for item in _cursors(programs, template, directory, size)),
            *(_facts(programs, template, directory, number) for number in FACTS),
        ]
        results = Results(
            machine=machine(programs[environments.HOST] / "python"),
            comparisons=found,
            counting=counting(template, directory, FACTS),
            starting=[_help(programs, directory), _idle(programs, directory)],
        )
    save(results)
    text = page(results)
    print(text)
    DATA.with_suffix(".md").write_text(text, encoding="utf-8")


def _cursors(
    programs: Mapping[str, Path], template: Path, directory: Path, size: int
) -> Iterator[Comparison]:
    full = databases.filled(template, directory / f"{size}.db", size)
    empty = databases.with_positions(full, directory / "null.db", None)
    other = databases.with_positions(full, directory / "other.db", OTHER_POSITION)
    checkpoint, earlier = directory / f"{size}.json", directory / "earlier.json"
    plugin = programs["plugin"] / "stigmem"
    for database, out in ((full, checkpoint), (other, earlier)):
        once([plugin, *_EXPORT, "--db", database, "--out", out], directory)
    rounds = ROUNDS[size]
    if size not in WITHOUT_FAST:
        programs = {name: path for name, path in programs.items() if name != "plugin"}
    for task, run in {
        "export": partial(_export, database=full),
        "export over an earlier one, all moved": partial(_export, database=full, earlier=earlier),
        "import, positions empty": partial(_import, database=empty, checkpoint=checkpoint),
        "import --force, all moved": partial(
            _import, database=other, checkpoint=checkpoint, options=("--force",)
        ),
        "import --force --no-undo, all moved": partial(
            _import, database=other, checkpoint=checkpoint, options=("--force", _OURS)
        ),
    }.items():
        yield _compared(task, size, programs, rounds, run)


def _facts(programs: Mapping[str, Path], template: Path, directory: Path, facts: int) -> Comparison:
    database = databases.filled(template, directory / "facts.db", PEERS_OF_FACTS, facts)
    task = f"export, {PEERS_OF_FACTS} cursors, {facts:,} facts"
    return _compared(task, facts, programs, 9, partial(_export, database=database))


def _compared(
    task: str, size: int, programs: Mapping[str, Path], rounds: int, run: Callable[[Path], Sample]
) -> Comparison:
    print(f"{task}, {size:,}", file=sys.stderr)
    measured = in_turn(
        {name: partial(run, path / "stigmem") for name, path in programs.items()}, rounds
    )
    return Comparison(task, size, measured)


_EXPORT = ("federation", "cursor-export")


_OURS = "--no-undo"
"""The host writes no undo checkpoint, and does not know the option."""


def _export(stigmem: Path, database: Path, earlier: Path | None = None) -> Sample:
    out = database.with_name("out.json")
    out.unlink(missing_ok=True)
    if earlier is not None:
        shutil.copy(earlier, out)
    return once([stigmem, *_EXPORT, "--db", database, "--out", out], database.parent)


def _import(
    stigmem: Path, database: Path, checkpoint: Path, options: tuple[str, ...] = ()
) -> Sample:
    work = databases.fresh(database, database.with_name("work.db"))
    for undo in database.parent.glob("*.undo-*.json"):
        undo.unlink()
    if stigmem.parent.parent.name == environments.HOST:
        options = tuple(option for option in options if option != _OURS)
    arguments = ("federation", "cursor-import", str(checkpoint), "--db", str(work), *options)
    return once([stigmem, *arguments], database.parent)


def _help(programs: Mapping[str, Path], directory: Path) -> Comparison:
    commands = {
        name: partial(once, [path / "stigmem", "--help"], directory)
        for name, path in programs.items()
    }
    return Comparison("stigmem --help", 0, in_turn(commands, 21))


def _idle(programs: Mapping[str, Path], directory: Path) -> Comparison:
    commands = {
        name: partial(once, [path / "python", "-c", "pass"], directory)
        for name, path in programs.items()
    }
    return Comparison("python -c pass", 0, in_turn(commands, 101))


if __name__ == "__main__":
    main()
