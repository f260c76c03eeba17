"""The figures of catching up, as a page for a reader and as data for a program."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

LOOP = "host's loop, no pause"
CATCH_UP = "cursor-catchup"
SERVE = "floor: pages thrown away"
INSERT = "floor: rows inserted unchecked"
AFTER_ANALYZE = ", after ANALYZE at the peer"
TIMES_THE_LOOP, AT = 8, 20_000
MOST_MINUTES, EXAMPLE = 8, 500_000
MORE_MEMORY = 1.2
"""Targets: facts a second beside the loop's; the runbook's example; memory that stays flat."""
PAGE = Path(__file__).with_name("catchup.md")
DATA = PAGE.with_suffix(".json")


@dataclass(frozen=True)
class Run:
    """One way of fetching *facts* from *peers*, none or all of which were *held*.

    *peer_cpu* are the seconds of processor time that all peers spent, *mebibytes* the peak memory
    of the process that fetched.
    """

    facts: int
    peers: int
    held: bool
    way: str
    seconds: float
    peer_cpu: float
    mebibytes: float | None = None
    date: str = ""

    @property
    def rate(self) -> float:
        """Facts a second."""
        return self.facts / self.seconds


def load() -> list[Run]:
    """Return what was measured before."""
    return [Run(**row) for row in json.loads(DATA.read_text())] if DATA.exists() else []


def keep(runs: Sequence[Run]) -> str:
    """Put *runs* in place of earlier ones of as many facts, write all, and return the page."""
    measured = {run.facts for run in runs}
    earlier = load()
    dated = [Run(**{**asdict(run), "date": f"{datetime.now(UTC):%Y-%m-%d}"}) for run in runs]
    kept = sorted(
        [run for run in earlier if run.facts not in measured] + dated,
        key=lambda run: (run.facts, run.peers, run.held),
    )
    rows = ",\n".join(json.dumps(_rounded(run)) for run in kept)
    DATA.write_text(f"[\n{rows}\n]\n", encoding="utf-8")
    page = "\n".join(_page(kept)) + "\n"
    PAGE.write_text(page, encoding="utf-8")
    return page


def _rounded(run: Run) -> dict[str, object]:
    return {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in asdict(run).items()
    }


def _page(runs: Sequence[Run]) -> Iterator[str]:
    yield "# Catching up"
    yield ""
    yield "Written by `make bench-catchup`; `make bench-catchup FACTS=500000` adds the runbook's"
    yield "example. Real nodes on one machine of two cores, one run each, side by side. The time of"
    yield "`cursor-catchup` is that of the whole process; that of the others begins when they are"
    yield "ready. The peers' CPU is that of all peers together. Four peers have facts about"
    yield "the same subjects. For each two of them the node notes a conflict, which is slow by the"
    yield "loop and by catch-up. `ANALYZE`, a statement of SQLite, counts what the indexes of a"
    yield "database hold, so that it takes the one that finds a page at once."
    yield ""
    yield "| facts | peers | | way | facts/s | times the loop | time | peak memory | peers' CPU |"
    yield "|---:|---:|---|---|---:|---:|---:|---:|---:|"
    for run in runs:
        loop = _one(runs, run.facts, run.peers, LOOP, held=run.held)
        cells = [
            f"{run.facts:,}",
            str(run.peers),
            "all held" if run.held else "all new",
            run.way,
            f"{run.rate:,.0f}",
            f"{run.rate / loop.rate:.1f}" if loop else "",
            f"{run.seconds:,.1f} s",
            f"{run.mebibytes:.0f} MiB" if run.mebibytes else "",
            f"{run.peer_cpu:,.1f} s",
        ]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "## Targets"
    yield ""
    yield "| target | measured | |"
    yield "|---|---:|---|"
    yield from _targets(runs)


def _targets(runs: Sequence[Run]) -> Iterator[str]:
    loop = _one(runs, AT, 1, LOOP)
    middle, example = _one(runs, AT, 1, CATCH_UP), _one(runs, EXAMPLE, 1, CATCH_UP)
    if loop and middle:
        times = middle.rate / loop.rate
        yield _target(
            f"at least {TIMES_THE_LOOP} times the host's loop, {AT:,} facts",
            f"{times:.1f}",
            times >= TIMES_THE_LOOP,
        )
    if example:
        minutes = example.seconds / 60
        yield _target(
            f"{EXAMPLE:,} facts in at most {MOST_MINUTES} minutes",
            f"{minutes:.1f} min",
            minutes <= MOST_MINUTES,
        )
    if middle and example and middle.mebibytes and example.mebibytes:
        ratio = example.mebibytes / middle.mebibytes
        yield _target(
            f"memory at {EXAMPLE:,} facts at most {MORE_MEMORY} times that at {AT:,}",
            f"{ratio:.2f}",
            ratio <= MORE_MEMORY,
        )


def _target(target: str, measured: str, reached: bool) -> str:
    return f"| {target} | {measured} | {'reached' if reached else '**missed**'} |"


def _one(
    runs: Sequence[Run], facts: int, peers: int, way: str, *, held: bool = False
) -> Run | None:
    wanted = (facts, peers, way, held)
    found = (run for run in runs if (run.facts, run.peers, run.way, run.held) == wanted)
    return next(found, None)
