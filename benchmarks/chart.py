"""The chart of the README: the time until a node has caught up."""

from collections.abc import Sequence
from pathlib import Path

Points = Sequence[tuple[int, float]]


def draw(path: Path, without: Points, given: Points) -> None:
    """Write an SVG with both curves, the same bytes for the same points."""
    import matplotlib as mpl  # noqa: PLC0415  a development dependency

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "recovery"
    from matplotlib import pyplot  # noqa: PLC0415

    figure, axes = pyplot.subplots(figsize=(7, 3.5))
    for points, label, colour in (
        (without, "without a checkpoint", "#b3261e"),
        (given, "with a checkpoint", "#1f6f43"),
    ):
        axes.plot(*zip(*points, strict=True), marker="o", label=label, color=colour)
    axes.set_xlabel("facts that the node held when its cursor table was dropped")
    axes.set_ylabel("seconds to catch up")
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
