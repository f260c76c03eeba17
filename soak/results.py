"""What a soak came to, in figures: kept in ``results.json``, a record for each soak."""

import json
import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from soak.journal import Journal, Recovery
from soak.judging import Judgement
from soak.schedule import Fault
from soak.striking import Soak

DATA = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Recovered:
    """The recoveries from one kind of fault: how many, and the seconds they took."""

    count: int
    median: float
    longest: float


@dataclass(frozen=True)
class Record:
    """One soak in figures."""

    seed: int
    seconds: float
    relays: bool
    plugin: bool
    date: str
    machine: str
    host: str
    held: Mapping[str, int]
    """Facts at each node in the end."""
    missing: int
    unverifiable: int
    twice: int
    faults: Mapping[str, int]
    recovered: Mapping[str, Recovered]
    losses: int
    alarms: int
    """Losses that raised an alarm."""
    commands: Mapping[str, int]
    """How often each command was run to its end."""
    refused: int
    """Exports that failed."""
    killed: int
    """Commands that were killed on purpose."""
    tracebacks: int
    fetched: int
    whole: int
    """Facts that catch-up went through, and what a full re-pull would have been."""
    problems: Sequence[str]

    @property
    def key(self) -> tuple[bool, bool, int, float]:
        """What makes two records the same soak."""
        return (not self.plugin, self.relays, self.seed, self.seconds)


def record(soak: Soak, journal: Journal, judgement: Judgement) -> Record:
    """Count what happened in a soak."""
    done = [run for run in journal.runs if not run.killed]
    losses = [one for one in journal.recoveries if one.loss]
    return Record(
        soak.seed,
        soak.seconds,
        soak.relays,
        soak.plugin,
        datetime.now(UTC).date().isoformat(),
        f"Python {platform.python_version()}, {os.cpu_count()} cores",
        f"stigmem-node {version('stigmem-node')}",
        judgement.held,
        judgement.missing,
        judgement.unverifiable,
        judgement.twice,
        _counted(name for one in journal.recoveries for name in one.faults),
        _times(losses),
        len(losses),
        sum(one.alarmed for one in losses),
        _counted(run.name for run in done),
        sum(run.name == "cursor-export" and run.status != 0 for run in done),
        len(journal.runs) - len(done),
        sum("Traceback" in run.said for run in done),
        sum(one.fetched for one in losses),
        sum(one.whole for one in losses),
        list(judgement.problems),
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _times(losses: Sequence[Recovery]) -> dict[str, Recovered]:
    """Return the recoveries by their first fault: what comes on top of it stands after it."""
    kinds = [fault.value for fault in Fault]
    by_kind = {kind: [one.seconds for one in losses if one.faults[0] == kind] for kind in kinds}
    return {
        kind: Recovered(len(seconds), round(median(seconds), 1), round(max(seconds), 1))
        for kind, seconds in by_kind.items()
        if seconds
    }


def load(path: Path = DATA) -> list[Record]:
    """Return the records that are kept."""
    if not path.exists():
        return []
    return [_record(document) for document in json.loads(path.read_text(encoding="utf-8"))]


def _record(document: dict[str, Any]) -> Record:
    recovered = {kind: Recovered(**found) for kind, found in document["recovered"].items()}
    return Record(**{**document, "recovered": recovered})


def keep(new: Record, path: Path = DATA) -> list[Record]:
    """Put a record in place of an earlier one of the same soak; return all, in order."""
    records = {one.key: one for one in [*load(path), new]}
    ordered = [records[key] for key in sorted(records)]
    text = ",\n".join(json.dumps(asdict(one)) for one in ordered)
    path.write_text(f"[\n{text}\n]\n", encoding="utf-8")
    return ordered
