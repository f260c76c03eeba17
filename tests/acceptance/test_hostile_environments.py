"""Whatever a process is given: one line, the right status, and all that was asked for, or nothing.

:mod:`tests.hostile_environments` has the environments and the commands.
"""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.another_user import open_to_others
from tests.database import Database
from tests.hostile_environments import (
    ENVIRONMENTS,
    HOST,
    STANDALONE,
    TASKS,
    Hostile,
    Task,
    faults,
    run_cell,
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A database with two peers, one of them with a name that is not ASCII."""
    path = tmp_path_factory.mktemp("hostile") / "stigmem.db"
    shutil.copy(migrated, path)
    node = Database(path)
    node.set_cursor(node.add_peer("node-b"), "1725349500000.005")
    node.set_cursor(node.add_peer("node-c"), "1725349500000.10")
    node.add_facts("node-b", 3)
    node.add_peer("knüller-\N{SNOWMAN}")
    return path


def broken(
    source: Path, directory: Path, cells: Sequence[tuple[Sequence[str], Task, Hostile]]
) -> list[str]:
    """Run cells side by side and return each that broke the promise."""
    open_to_others(directory)

    def judge(number: int) -> list[str]:
        program, task, hostile = cells[number]
        place = directory / str(number)
        ended = run_cell(source, place, program, task, hostile)
        found = list(faults(task, hostile, ended))
        where = f"{hostile.name}: {Path(program[0]).name} {task.line}"
        return [f"{where}: {fault}\n{ended.stderr}" for fault in found]

    with ThreadPoolExecutor(3) as pool:
        return [fault for found in pool.map(judge, range(len(cells))) for fault in found]


CELLS = [
    (program, task, hostile)
    for program in (STANDALONE, HOST)
    for task in TASKS
    for hostile in ENVIRONMENTS
    if program is STANDALONE or task.line not in ("--help", "--version")
]
"""The host's own --help and --version are not ours."""


@pytest.mark.exhaustive
def test_every_cell(source: Path, tmp_path: Path) -> None:
    """Every command in every hostile environment keeps the promise."""
    print(f"{len(ENVIRONMENTS)} environments, {len(CELLS)} cells")
    assert broken(source, tmp_path, CELLS) == []


@pytest.mark.long
def test_some_cells(source: Path, tmp_path: Path) -> None:
    """So does every third environment with one of the commands, which take turns."""
    some = [
        (STANDALONE, TASKS[5 * number % len(TASKS)], hostile)
        for number, hostile in enumerate(ENVIRONMENTS[::3])
    ]
    assert broken(source, tmp_path, some) == []
