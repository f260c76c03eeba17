"""Fail unless the mutants that survived are exactly those that are listed.

Usage: cosmic-ray dump SESSION | python -m tools.mutants LIST

LIST is TOML: a table ``survivor`` for each, with ``module``, ``within`` (the function or class),
``before``, ``after`` and the ``reason`` why no test can or need tell them apart.
"""

import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any


@dataclass(frozen=True, order=True)
class Mutant:
    """A change, by its text: line numbers move."""

    module: str
    within: str
    before: str
    after: str

    def __str__(self) -> str:
        """Return it as it stands in the list."""
        fields = (("module", self.module), ("within", self.within))
        texts = (("before", self.before), ("after", self.after))
        lines = [f"{name} = {json.dumps(value)}" for name, value in (*fields, *texts)]
        return "\n".join(["[[survivor]]", *lines])


@dataclass
class Session:
    """What became of the mutants."""

    made: int = 0
    skipped: int = 0
    killed: int = 0
    survived: Counter[Mutant] = field(default_factory=Counter)
    not_run: Counter[Mutant] = field(default_factory=Counter)


def read(dump: Iterable[str]) -> Session:
    """Return what a dump of cosmic-ray says."""
    session = Session()
    for line in dump:
        item, result = json.loads(line)
        session.made += 1
        outcome = _outcome(result)
        if outcome == "skipped":
            session.skipped += 1
        elif outcome == "killed":
            session.killed += 1
        else:
            mutants = session.survived if outcome == "survived" else session.not_run
            mutants[_mutant(item, result)] += 1
    return session


def _outcome(result: Mapping[str, Any] | None) -> str:
    """Return ``skipped``, ``killed`` or ``survived``, or else why it is none of them."""
    if result is None:
        return "not run"
    worker, test = str(result["worker_outcome"]), str(result["test_outcome"])
    return test if worker == "normal" else worker


def _mutant(item: Mapping[str, Any], result: Mapping[str, Any] | None) -> Mutant:
    (change,) = item["mutations"]
    changed = ((result or {}).get("diff") or "").splitlines()
    return Mutant(
        PurePath(change["module_path"]).name,
        change["definition_name"] or "",
        _lines(changed, "-"),
        _lines(changed, "+"),
    )


def _lines(changed: Iterable[str], sign: str) -> str:
    lines = [line[1:].strip() for line in changed if line.startswith(sign)]
    return "\n".join(line for line in lines if not line.startswith(sign * 2))


def listed(text: str) -> Counter[Mutant]:
    """Return the mutants of a list; each must have a reason."""
    found: Counter[Mutant] = Counter()
    for entry in tomllib.loads(text).get("survivor", []):
        values = dict(entry)
        if not values.pop("reason", "").strip():
            raise ValueError(f"no reason: {entry}")
        found[Mutant(**values)] += 1
    return found


def complaints(session: Session, known: Counter[Mutant]) -> Iterator[str]:
    """Say in what the survivors differ from the list."""
    groups = {
        "survived, and is not listed": session.survived - known,
        "is listed, and did not survive": known - session.survived,
        "could not be run": session.not_run,
    }
    for what, mutants in groups.items():
        for mutant in sorted(mutants.elements()):
            yield f"# {what}:\n{mutant}"


def main(path: Path, dump: Iterable[str]) -> int:
    """Compare a dump with a list; exit status 1 where they differ."""
    session, known = read(dump), listed(path.read_text(encoding="utf-8"))
    found = list(complaints(session, known))
    for complaint in found:
        print(complaint, end="\n\n")
    survivors = session.survived.total()
    print(
        f"{session.made:,} made, {session.skipped:,} skipped, {session.killed:,} killed, "
        f"{survivors:,} survived, {known.total():,} listed"
    )
    return 1 if found or not session.killed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin))
