"""The picture of a soak: a line a node with its faults, its recoveries, how far behind it was."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.chart import COLOURS, GRID, INK, PAPER, for_dark_pages
from soak.journal import Journal, Recovery, Sample
from soak.mesh import NAMES

FAULT, RECOVERED, BEHIND = COLOURS


def draw(path: Path, journal: Journal, seconds: float, title: str) -> None:
    """Write an SVG, for light and dark pages."""
    import matplotlib as mpl  # noqa: PLC0415  the extra charts

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "soak", "svg.fonttype": "none", "text.color": INK})
    for name in ("axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
        mpl.rcParams[name] = INK
    from matplotlib import pyplot  # noqa: PLC0415

    figure, rows = pyplot.subplots(
        len(NAMES), sharex=True, figsize=(9, 6), layout="constrained", facecolor=PAPER
    )
    most = max((sample.behind or 0 for sample in journal.samples), default=0) or 1
    for axes, name in zip(rows, NAMES, strict=True):
        _row(axes, name, journal, most)
    rows[0].set_title(title)
    rows[-1].set_xlabel("seconds since the beginning")
    rows[-1].set_xlim(0, max([seconds, *(sample.at for sample in journal.samples)]))
    _legend(figure, rows[0])
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    path.write_text(for_dark_pages(path.read_text(encoding="utf-8")), encoding="utf-8")


def _row(axes: Any, name: str, journal: Journal, most: int) -> None:
    axes.set_facecolor(PAPER)
    axes.set_ylabel(f"{name}\nfacts behind")
    axes.set_ylim(0, most * 1.3)
    axes.grid(visible=True, color=GRID, alpha=0.4)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    _behind(axes, [sample for sample in journal.samples if sample.node == name])
    for one in journal.recoveries:
        if one.node == name:
            _recovery(axes, one, most)


def _behind(axes: Any, samples: Sequence[Sample]) -> None:
    nothing = float("nan")
    counts = [nothing if sample.behind is None else sample.behind for sample in samples]
    moments = [sample.at for sample in samples]
    axes.plot(moments, counts, color=BEHIND, linewidth=1.2, label="facts behind")


def _recovery(axes: Any, one: Recovery, most: int) -> None:
    if one.loss:
        ended = one.began + one.seconds
        axes.axvspan(one.began, ended, color=RECOVERED, alpha=0.25, linewidth=0, label="recovery")
    axes.plot([one.began], [most * 1.15], "v", color=FAULT, markersize=6, label="fault")


def _legend(figure: Any, axes: Any) -> None:
    found = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=3, frameon=False)
