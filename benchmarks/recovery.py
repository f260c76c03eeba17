"""What a loss costs a node: by its own loop, by cursor-catchup, and with a checkpoint.

Usage: python -m benchmarks.recovery    writes benchmarks/recovery.md, recovery.json and the chart

A peer offers more and more facts. Each time the node is stopped, its cursor table is dropped, ten
more facts are posted, and the node catches up: what it fetches until it has is counted in the
peer's access log. All on two real nodes.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import linear_regression

from benchmarks import catchup_results
from benchmarks.chart import Line, draw
from stigmem_cursor_plugin.core.cost import PAGE
from stigmem_cursor_plugin.stores.transaction import CURSOR_TABLE
from tools.hosts import ROOT
from tools.loopback import Node, caught_up, two_nodes, wait_for
from tools.stories import newest, run_on

SIZES = (200, 500, 1_000, 2_000)
SINCE = 10
"""Facts that the peer gets while the node is down."""
INTERVAL = 1
"""Seconds between two pulls of the nodes measured."""
EXAMPLE_FACTS, EXAMPLE_INTERVAL = 500_000, 10
"""The host's example (its runbook, "Problem")."""
EXAMPLE_HOURS = EXAMPLE_FACTS / PAGE * EXAMPLE_INTERVAL / 3600
"""What the node's loop waits in all in this example; what a page costs comes on top."""
LOOP, CHECKPOINT, CATCH_UP = "loop", "checkpoint", "catch-up"
RESULTS = Path(__file__).parent
CHART = ROOT / "docs" / "recovery.svg"


@dataclass(frozen=True)
class Recovery:
    """Until the node held every fact and its position was the newest.

    By LOOP and with a CHECKPOINT from the node's start; by CATCH_UP from the command's start.
    """

    facts: int
    way: str
    fetched: int
    pages: int
    seconds: float


@dataclass(frozen=True)
class Fit:
    """Seconds as a straight line over pages: least squares."""

    fixed: float
    per_page: float


def main() -> None:
    """Measure, fit, print and write."""
    with tempfile.TemporaryDirectory() as directory, two_nodes(Path(directory)) as (a, b):
        found = [recovery for size in SIZES for recovery in _losses(a, b, size)]
    without = [item for item in found if item.way == LOOP]
    line = linear_regression(
        [float(item.pages) for item in without], [item.seconds for item in without]
    )
    fit = Fit(line.intercept, line.slope)
    text = _page(found, fit)
    print(text)
    (RESULTS / "recovery.md").write_text(text, encoding="utf-8")
    data = {"recoveries": [asdict(item) for item in found], "fit": asdict(fit)}
    (RESULTS / "recovery.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    chart(found)


def chart(found: Sequence[Recovery]) -> None:
    """Draw what was measured, and the host's example."""
    example = next(
        (
            (run.facts, run.seconds)
            for run in catchup_results.load()
            if (run.facts, run.way) == (EXAMPLE_FACTS, catchup_results.CATCH_UP)
        ),
        None,
    )
    draw(
        CHART,
        [
            Line(
                f"the node's own loop, a pull every {INTERVAL} s",
                _series(found, LOOP),
                (EXAMPLE_FACTS, EXAMPLE_HOURS * 3600),
                f"{EXAMPLE_HOURS:.0f} h, computed: {PAGE} facts every {EXAMPLE_INTERVAL} s",
            ),
            Line(
                "cursor-catchup",
                _series(found, CATCH_UP),
                example,
                f"{example[1] / 60:.0f} min, measured" if example else "",
            ),
            Line("with a checkpoint, facts still there", _series(found, CHECKPOINT)),
        ],
    )


def _losses(a: Node, b: Node, size: int) -> list[Recovery]:
    print(f"{size:,} facts", file=sys.stderr)
    b.post_facts(f"of-{size}-{number}" for number in range(size - len(b.own_facts())))
    wait_for("facts to federate", lambda: caught_up(a, b) and a.cursor(b) == newest(b))
    checkpoint = a.directory / "cursors.json"
    _stigmem(a, "cursor-export", "--force", "--out", str(checkpoint))
    a.stop()
    before = a.directory / "before.db"
    shutil.copy(a.database, before)
    b.post_facts(f"since-{size}-{number}" for number in range(SINCE))
    found = []
    for way in (LOOP, CHECKPOINT, CATCH_UP):
        shutil.copy(before, a.database)
        a.query("DROP TABLE replication_cursors")
        if way == CHECKPOINT:
            _stigmem(a, "cursor-import", str(checkpoint))
        else:
            _make_table(a)
        if way == CATCH_UP:
            found.append(_measured(a, b, size, way, lambda: _stigmem(a, "cursor-catchup")))
            a.start()
        else:
            found.append(_measured(a, b, size, way, lambda: run_on(a, b)))
            a.stop()
    return found


def _make_table(a: Node) -> None:
    """Put the empty table back: a node does not start without it, and the host has no command."""
    a.query(CURSOR_TABLE)


def _measured(a: Node, b: Node, size: int, way: str, work: Callable[[], None]) -> Recovery:
    offset = b.log.stat().st_size
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    assert a.cursor(b) == newest(b)
    pages = [facts for facts in b.pulls_served(offset) if facts]
    return Recovery(size, way, sum(pages), len(pages), seconds)


def _stigmem(node: Node, *arguments: str) -> None:
    subprocess.run(
        ["stigmem", "federation", *arguments],
        cwd=node.directory,
        env=node.environment,
        check=True,
        capture_output=True,
    )


def _series(found: Sequence[Recovery], way: str) -> list[tuple[int, float]]:
    return [(item.facts, item.seconds) for item in found if item.way == way]


def _page(found: Sequence[Recovery], fit: Fit) -> str:
    lines = [
        "# A lost cursor table",
        "",
        f"Written by `make bench-recovery`: two real nodes, a pull every {INTERVAL} s, {PAGE} "
        f"facts a page, {SINCE} facts posted while the node was down. Seconds until the node had "
        "caught up: by its own loop and with a checkpoint from its start, by `cursor-catchup` "
        "from the start of the command.",
        "",
        "| facts held | way | fetched | seconds |",
        "|---:|---|---:|---:|",
    ]
    lines += [
        f"| {item.facts:,} | {item.way} | {item.fetched:,} | {item.seconds:.1f} |" for item in found
    ]
    lines += [
        "",
        f"By the loop: {fit.fixed:.1f} s and {fit.per_page:.2f} s a page (least squares).",
        "",
        f"**Computed**, not measured: {EXAMPLE_FACTS:,} facts take the loop {EXAMPLE_HOURS:.0f} "
        f"hours ({PAGE} facts every {EXAMPLE_INTERVAL} s). That is the waiting alone; what a page "
        "costs comes on top.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
