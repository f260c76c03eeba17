"""What a lost cursor table costs a node, with a checkpoint and without one, on two real nodes.

Usage: python -m benchmarks.recovery    writes benchmarks/recovery.md, recovery.json and the chart

A peer offers more and more facts. Each time the node is stopped, its cursor table is dropped, ten
more facts are posted, and the node is started again: what it fetches until it has caught up is
counted in the peer's access log.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import linear_regression

from benchmarks.chart import draw
from stigmem_cursor_plugin.reports.formatting import PAGE
from stigmem_cursor_plugin.stores.base import CURSOR_TABLE
from tools.hosts import ROOT
from tools.loopback import Node, caught_up, two_nodes, wait_for
from tools.stories import newest

SIZES = (200, 500, 1_000, 2_000)
SINCE = 10
"""Facts that the peer gets while the node is down."""
INTERVAL = 1
"""Seconds between two pulls of the nodes measured."""
EXAMPLE_FACTS, EXAMPLE_INTERVAL = 500_000, 10
"""The runbook's example ("Problem")."""
RESULTS = Path(__file__).parent
CHART = ROOT / "docs" / "recovery.svg"


@dataclass(frozen=True)
class Recovery:
    """From the start of the node until it held every fact and its position was the newest."""

    facts: int
    checkpoint: bool
    fetched: int
    pages: int
    seconds: float


@dataclass(frozen=True)
class Fit:
    """Seconds as a straight line over pages: least squares."""

    fixed: float
    per_page: float

    def example(self) -> float:
        """Return the hours of the runbook's example, a page at each pull."""
        # The measured part of a page that is not waiting for the next pull comes on top.
        page = EXAMPLE_INTERVAL + max(0.0, self.per_page - INTERVAL)
        return EXAMPLE_FACTS / PAGE * page / 3600


def main() -> None:
    """Measure, fit, print and write."""
    with tempfile.TemporaryDirectory() as directory, two_nodes(Path(directory)) as (a, b):
        found = [recovery for size in SIZES for recovery in _losses(a, b, size)]
    without = [item for item in found if not item.checkpoint]
    line = linear_regression(
        [float(item.pages) for item in without], [item.seconds for item in without]
    )
    fit = Fit(line.intercept, line.slope)
    text = _page(found, fit)
    print(text)
    (RESULTS / "recovery.md").write_text(text, encoding="utf-8")
    data = {"recoveries": [asdict(item) for item in found], "fit": asdict(fit)}
    (RESULTS / "recovery.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    draw(CHART, _series(found, checkpoint=False), _series(found, checkpoint=True))


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
    for given in (False, True):
        shutil.copy(before, a.database)
        a.query("DROP TABLE replication_cursors")
        if given:
            _stigmem(a, "cursor-import", str(checkpoint))
        else:
            _make_table(a)
        found.append(_resumed(a, b, size, given))
        if not given:
            a.stop()
    return found


def _make_table(a: Node) -> None:
    """Put the empty table back: a node does not start without it, and the host has no command."""
    a.query(CURSOR_TABLE)


def _resumed(a: Node, b: Node, size: int, checkpoint: bool) -> Recovery:
    offset = b.log.stat().st_size
    begun = time.perf_counter()
    a.start()
    wait_for("node a to catch up", lambda: caught_up(a, b) and a.cursor(b) == newest(b))
    seconds = time.perf_counter() - begun
    pages = [facts for facts in b.pulls_served(offset) if facts]
    return Recovery(size, checkpoint, sum(pages), len(pages), seconds)


def _stigmem(node: Node, *arguments: str) -> None:
    subprocess.run(
        ["stigmem", "federation", *arguments],
        cwd=node.directory,
        env=node.environment,
        check=True,
        capture_output=True,
    )


def _series(found: Sequence[Recovery], *, checkpoint: bool) -> list[tuple[int, float]]:
    return [(item.facts, item.seconds) for item in found if item.checkpoint is checkpoint]


def _page(found: Sequence[Recovery], fit: Fit) -> str:
    lines = [
        "# A lost cursor table, with a checkpoint and without",
        "",
        f"Written by `make bench-recovery`: two real nodes, a pull each {INTERVAL} s, {PAGE} facts "
        f"a page, {SINCE} facts posted while the node was down. Seconds from the start of the node "
        "until it had caught up.",
        "",
        "| facts held | without: fetched | pages | seconds | with: fetched | pages | seconds |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for without, given in zip(found[::2], found[1::2], strict=True):
        lines.append(
            f"| {without.facts:,} | {without.fetched:,} | {without.pages} | {without.seconds:.1f} "
            f"| {given.fetched:,} | {given.pages} | {given.seconds:.1f} |"
        )
    lines += [
        "",
        f"Without a checkpoint: {fit.fixed:.1f} s and {fit.per_page:.2f} s a page (least squares).",
        "",
        f"**Computed**, not measured: the runbook's example of {EXAMPLE_FACTS:,} facts, a pull "
        f"each {EXAMPLE_INTERVAL} s and {PAGE} a page, at this cost per page, takes "
        f"{fit.example():.1f} hours for each peer.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
