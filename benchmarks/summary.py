"""The ratios of the last measurement as the README shows them.

Usage: python -m benchmarks.summary    prints the table
"""

import json
from pathlib import Path
from statistics import median

from benchmarks.environments import HOST
from benchmarks.results import FAST, TARGETS

RESULTS = Path(__file__).with_name("results.json")


def table() -> list[str]:
    """Return the ratios of time by task and number of cursors."""
    compared = json.loads(RESULTS.read_bytes())["comparisons"]
    tasks = [
        task for task in dict.fromkeys(item["task"] for item in compared) if "facts" not in task
    ]
    sizes = sorted({item["size"] for item in compared if item["task"] == tasks[0]})
    rows = [
        f"| cursors | {' | '.join(f'{size:,}' for size in sizes)} | to reach |",
        f"|---|{'---:|' * len(sizes)}---:|",
    ]
    for task in tasks:
        ratios = {
            item["size"]: _ratio(item["samples"]) for item in compared if item["task"] == task
        }
        target = next(most for name, most in TARGETS.items() if task.startswith(name))
        cells = [f"{ratios[size]:.2f}" for size in sizes]
        rows.append(f"| {task} | {' | '.join(cells)} | {target:g} |")
    return rows


def _ratio(samples: dict[str, dict[str, list[dict[str, float]]]]) -> float:
    ours, hosts = (median(run["seconds"] for run in samples[name]["runs"]) for name in (FAST, HOST))
    return ours / hosts


if __name__ == "__main__":
    print("\n".join(table()))
