"""Record the demo as an SVG that plays it.

Usage: python -m tools.recording    writes docs/demo.svg

The demo runs for real; each line appears after the time that it took, pauses cut short.
"""

import re
import subprocess
import sys
import textwrap
import time

from rich.console import Console
from rich.text import Text

from tools.hosts import ROOT

LONGEST_PAUSE = 2.0
READING = 8.0
"""Seconds for which the whole picture stays before it plays again."""
COLUMNS = 100


def main() -> None:
    """Run the demo and write the picture."""
    lines, times = _run()
    console = Console(record=True, width=COLUMNS, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    for line in lines:
        console.print(Text(line, style=_style(line), overflow="fold"))
    svg = console.export_svg(title="make demo", unique_id="demo")
    (ROOT / "docs" / "demo.svg").write_text(_played(svg, times), encoding="utf-8")


def _run() -> tuple[list[str], list[float]]:
    """Return the lines of the demo, and when each appears."""
    lines, times, now = [], [], 0.0
    begun = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "tools.demo"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            pause, begun = time.monotonic() - begun, time.monotonic()
            now += min(pause, LONGEST_PAUSE)
            for part in _folded(line.rstrip("\n")):
                lines.append(part)
                times.append(now)
    if process.returncode:
        raise SystemExit("the demo failed")
    return lines, times


def _folded(line: str) -> list[str]:
    return textwrap.wrap(line, COLUMNS, drop_whitespace=False, break_on_hyphens=False) or [""]


def _style(line: str) -> str:
    return "bold cyan" if line.startswith("# ") else "bold" if line.startswith("$ ") else ""


def _played(svg: str, times: list[float]) -> str:
    """Let each line of the picture appear at its time, the first at once, again and again."""
    whole = times[-1] - times[0] + READING

    def later(found: re.Match[str]) -> str:
        share = (times[int(found[2])] - times[0]) / whole * 100
        frames.append(_appearing(found[2], share))
        return f'<text style="animation-name:demo-{found[2]}" {found[1]}'

    frames: list[str] = []
    # A picture in a page fetches no fonts.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<text ([^>]*clip-path="url\(#demo-line-(\d+)\)")', later, svg)
    rule = f".demo-matrix text{{animation:{whole:.1f}s step-end infinite}}"
    still = "@media (prefers-reduced-motion:reduce){.demo-matrix text{animation:none!important}}"
    frames = list(dict.fromkeys(frames))
    return svg.replace("</style>", f"{rule}{''.join(frames)}{still}</style>", 1)


def _appearing(line: str, share: float) -> str:
    """Return the frames that hide a line until this share of the whole, in percent."""
    hidden = "0%{opacity:0}" if share else ""
    return f"@keyframes demo-{line}{{{hidden}{share:.2f}%{{opacity:1}}}}"


if __name__ == "__main__":
    main()
