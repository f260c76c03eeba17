"""Run the tests of the core on each mutant of a session of cosmic-ray.

Usage: python -m tools.mutants_run SESSION    in a copy of the checkout: its modules are changed

``cosmic-ray exec`` does the same with a new Python for each mutant, and takes an hour. Here each
is a fork of one that has imported pytest, and its module's own tests run first.
"""

import difflib
import importlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

from tools.mutants_skipped import decides_nothing

TESTS = Path("tests/core")
SECONDS = 20
"""For how long the tests may run: a mutant that loops is killed."""

# Plain assertions, no fixtures of other tests and no plugin but hypothesis, for speed. The decision
# tables alone must notice a change, without properties.
OPTIONS = ["-q", "-x", "--tb=no", "--assert=plain", "--confcutdir=tests/core"]
OPTIONS += ["-p", "no:anyio", "-p", "no:xdist", "-p", "no:cacheprovider", "-m", "not hypothesis"]


def passes(tests: Path) -> bool:
    """Tell whether tests pass, in a process that imports the modules as they are now."""
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.dup2(nothing, sys.stderr.fileno())
        os._exit(pytest.main([*OPTIONS, str(tests)]))
    _, status = os.waitpid(child, 0)
    return status == 0


def survives(module: Path, changed: str) -> bool:
    """Tell whether all tests pass with a changed module."""
    original = module.read_text(encoding="utf-8")
    own = TESTS / f"test_{module.name}"
    module.write_text(changed, encoding="utf-8")
    try:
        return (not own.exists() or passes(own)) and passes(TESTS)
    finally:
        module.write_text(original, encoding="utf-8")


def judged(change: Any) -> WorkResult:
    """Return what became of one change."""
    module = Path(change.module_path)
    source = module.read_text(encoding="utf-8")
    if decides_nothing(source, change.start_pos):
        return WorkResult(WorkerOutcome.SKIPPED)
    operator = get_operator(change.operator_name)(**change.operator_args)
    changed = MutationVisitor.mutate_code(source, operator, change.occurrence)
    if changed is None:
        return WorkResult(WorkerOutcome.NO_TEST)
    outcome = TestOutcome.SURVIVED if survives(module, changed) else TestOutcome.KILLED
    lines = difflib.unified_diff(source.splitlines(), changed.splitlines(), lineterm="", n=0)
    return WorkResult(WorkerOutcome.NORMAL, None, outcome, "\n".join(lines))


def run(session: str) -> Iterator[TestOutcome | None]:
    """Run the mutants of a session, and yield the outcome of each."""
    with use_db(session, WorkDB.Mode.open) as database:
        items = list(database.pending_work_items)
        for item in sorted(items, key=lambda item: (item.mutations[0].module_path, item.job_id)):
            result = judged(item.mutations[0])
            database.set_result(item.job_id, result)
            yield result.test_outcome


def main(session: str) -> int:
    """Run the mutants of a session; exit status 1 if the tests fail without any."""
    sys.dont_write_bytecode = True
    importlib.import_module("hypothesis.strategies")
    if not passes(TESTS):
        print(f"{TESTS} fails without any change", file=sys.stderr)
        return 1
    for number, outcome in enumerate(run(session), start=1):
        if number % 100 == 0 or outcome is TestOutcome.SURVIVED:
            print(f"{number:,} run", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
