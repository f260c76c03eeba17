"""The page on a mesh of thousands of nodes, from the figures that were measured.

Usage: python -m benchmarks.scale    writes docs/scale.md
"""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import linear_regression, median

from benchmarks.mesh import Lost, Mesh
from benchmarks.results import FAST
from tools.hosts import ROOT

HERE = Path(__file__).parent
BYTES_OF_A_CURSOR = 397
"""Of a checkpoint with node ids, addresses and UUIDs of usual length, measured at 100,000."""

MESHES = (
    Mesh(nodes=1_000, peers=10, facts=50_000, hourly=60),
    Mesh(nodes=5_000, peers=50, facts=50_000, hourly=60),
    Mesh(nodes=5_000, peers=1_000, facts=500_000, hourly=600),
)
QUARTER = 900
"""Seconds between two checkpoints."""


def main() -> None:
    """Write the page."""
    (ROOT / "docs" / "scale.md").write_text("\n".join(page()) + "\n", encoding="utf-8")


def page() -> Iterator[str]:
    """Return the lines of ``docs/scale.md``."""
    fixed, each = _cost_of_export()
    yield """# A mesh of thousands of nodes

Written by `python -m benchmarks.scale` from the figures in `benchmarks/results.json`; a test compares the
arithmetic with a simulation that plays the same loss pull by pull. **Computed**, on the machine of
[results.md](../benchmarks/results.md), not measured on a mesh.

## What checkpoints cost

A checkpoint takes"""
    yield f"{fixed:.3f} s and {each * 1e6:.1f} ms for each 1,000 cursors of one core (least squares, with"
    yield f"the extra `fast`), and {BYTES_OF_A_CURSOR} bytes for each cursor. Every {QUARTER // 60} minutes:"
    yield ""
    yield "| nodes | peers of each | one node: core time | part of a core | bytes | whole mesh: core time |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for mesh in MESHES:
        cost = fixed + each * mesh.peers
        yield (
            f"| {mesh.nodes:,} | {mesh.peers:,} | {cost:.3f} s | {cost / QUARTER:.4%} | "
            f"{mesh.peers * BYTES_OF_A_CURSOR:,} | {cost * mesh.nodes:,.0f} s |"
        )
    yield """
Nothing of this crosses the network, and nothing is shared between nodes: it grows with the number of
nodes and with the peers of each, and with nothing else.

## What a lost table costs

A pull brings a page of 100 facts from each peer, and the node pulls every `interval` seconds (30 by default). While it
catches up, new facts arrive: with `hourly` of them from each peer, `new = hourly * interval / 3600` a pull.

    seconds = missing / (100 - new) * interval, and one interval at least
    fetched = peers * (missing + hourly * seconds / 3600)

Without a checkpoint all facts of each peer are missing; with one, those of at most a quarter of an hour. Time to
catch up, and facts fetched, for one node:
"""
    yield "| nodes | peers | facts from each | new an hour | without: time | fetched | with: time | fetched |"
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|"
    for mesh in MESHES:
        without, given = Lost(mesh, mesh.facts), Lost(mesh, mesh.hourly * QUARTER // 3600)
        yield (
            f"| {mesh.nodes:,} | {mesh.peers:,} | {mesh.facts:,} | {mesh.hourly:,} | "
            f"{without.seconds / 3600:.1f} h | {without.fetched:,.0f} | {given.seconds:.0f} s | "
            f"{given.fetched:,.0f} |"
        )
    yield """
## What it costs the peers

A peer serves every node that pulls from it. If a bad migration takes the table of one node in ten at
once, each node of the mesh serves, without checkpoints and until they have caught up,
`peers * lost / nodes * 100 / interval` facts a second on top of what it does anyway:
"""
    yield "| nodes | peers | tables lost | facts a second served by each node | for |"
    yield "|---:|---:|---:|---:|---:|"
    for mesh in MESHES:
        without = Lost(mesh, mesh.facts)
        lost = mesh.nodes // 10
        yield (
            f"| {mesh.nodes:,} | {mesh.peers:,} | {lost:,} | {without.served(lost):.1f} | "
            f"{without.seconds / 3600:.1f} h |"
        )
    yield "\nWith checkpoints the same load lasts for the seconds of the table before."


def _cost_of_export() -> tuple[float, float]:
    """Return the seconds that an export takes, and those for each cursor."""
    data = json.loads((HERE / "results.json").read_bytes())
    measured = [
        (float(item["size"]), median(run["seconds"] for run in item["samples"][FAST]["runs"]))
        for item in data["comparisons"]
        if item["task"] == "export over an earlier one, all moved"
    ]
    sizes, seconds = zip(*measured, strict=True)
    line = linear_regression(sizes, seconds)
    return line.intercept, line.slope


if __name__ == "__main__":
    main()
