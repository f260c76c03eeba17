"""The chart of the README: the time until a node has caught up."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Point = tuple[int, float]

INK, PAPER, GRID = "#1f2329", "#fefefe", "#b0b1b2"
COLOURS = ("#b3261f", "#1f6f44", "#2f5fb4")
DARK = {
    INK: "#e6edf3",
    PAPER: "#0d1117",
    GRID: "#4a5058",
    **dict(zip(COLOURS, ("#ff8a80", "#6fd19b", "#8ab4ff"), strict=True)),
}
"""What each colour is on a dark page."""
FACTS = (100, 1_000, 10_000, 100_000, 500_000)
TIMES = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36_000: "10 h"}


@dataclass(frozen=True)
class Line:
    """Points in facts and seconds, and one farther on with what to say about it."""

    label: str
    measured: Sequence[Point]
    example: Point | None = None
    remark: str = ""


def draw(path: Path, lines: Sequence[Line]) -> None:
    """Write an SVG of the lines, the same bytes for the same points, for light and dark pages."""
    import matplotlib as mpl  # noqa: PLC0415  the extra charts

    mpl.use("svg")
    mpl.rcParams.update(
        {
            "svg.hashsalt": "recovery",
            "svg.fonttype": "none",
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )
    from matplotlib import pyplot  # noqa: PLC0415

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained", facecolor=PAPER)
    _axes(axes)
    for line, colour in zip(lines, COLOURS, strict=True):
        _line(axes, line, colour)
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    path.write_text(for_dark_pages(path.read_text(encoding="utf-8")), encoding="utf-8")


def _axes(axes: Any) -> None:
    axes.set_title("Time until a node has caught up")
    axes.set_facecolor(PAPER)
    axes.set_xlabel("facts of one peer (dashed: nothing measured in between)")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(100, 2_000_000)
    axes.set_ylim(1, 200_000)
    axes.set_xticks(FACTS, [f"{number:,}" for number in FACTS])
    axes.set_yticks(list(TIMES), list(TIMES.values()))
    axes.minorticks_off()
    axes.grid(visible=True, color=GRID, alpha=0.5)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _line(axes: Any, line: Line, colour: str) -> None:
    if not line.measured:
        return
    axes.plot(*zip(*line.measured, strict=True), marker="o", label=line.label, color=colour)
    if line.example:
        points = (line.measured[-1], line.example)
        axes.plot(*zip(*points, strict=True), "--", marker="o", color=colour)
        axes.annotate(
            line.remark,
            line.example,
            xytext=(0, 9),
            textcoords="offset points",
            ha="right",
            color=colour,
        )


def for_dark_pages(svg: str) -> str:
    """Return a picture in these colours that takes the others on a dark page."""
    names = {colour: f"--c{number}" for number, colour in enumerate(DARK)}
    for colour, name in names.items():
        svg = svg.replace(colour, f"var({name})")
    light = ";".join(f"{name}:{colour}" for colour, name in names.items())
    dark = ";".join(f"{names[colour]}:{other}" for colour, other in DARK.items())
    rules = f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return svg.replace("</style>", f"{rules}</style>", 1)
