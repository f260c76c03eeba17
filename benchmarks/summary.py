"""The ratios of the last measurement as docs/speed.md shows them.

Usage: python -m benchmarks.summary    writes the table into docs/speed.md
"""

import re

from benchmarks.results import FAST, MANY, TARGETS, load
from tools.hosts import ROOT


def table() -> list[str]:
    """Return the ratios of time by task and number of cursors."""
    compared = [item for item in load().comparisons if "facts" not in item.task]
    sizes = sorted({item.size for item in compared})
    rows = [
        f"| cursors | {' | '.join(f'{size:,}' for size in sizes)} | target |",
        f"|---|{'---:|' * len(sizes)}---:|",
    ]
    for task in dict.fromkeys(item.task for item in compared):
        ratios = {item.size: item.ratio(FAST) for item in compared if item.task == task}
        few, many = next(most for name, most in TARGETS.items() if task.startswith(name))
        cells = [f"{ratios[size]:.2f}" for size in sizes]
        rows.append(f"| {task} | {' | '.join(cells)} | {few:g}, at {MANY:,} {many:g} |")
    return rows


def main() -> None:
    """Write the table into the page."""
    text = PAGE.read_text(encoding="utf-8")
    shown = "\n".join(table())
    PAGE.write_text(_TABLE.sub(lambda _: f"{shown}\n", text), encoding="utf-8")


PAGE = ROOT / "docs" / "speed.md"
_TABLE = re.compile(r"^\| cursors \|.*\n(?:\|.*\n)+", re.MULTILINE)


if __name__ == "__main__":
    main()
