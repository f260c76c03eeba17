"""Shows how far catching up has come: a bar on a terminal, a line a minute elsewhere."""

import sys
import time
from typing import Any, Self

from stigmem_cursor_plugin.core import positions
from stigmem_cursor_plugin.core.catchup import Progress
from stigmem_cursor_plugin.reports.formatting import shown
from stigmem_cursor_plugin.terminal import printable, tell

MINUTE = 60.0


class Meter:
    """Shows the progress of one peer while its facts are fetched."""

    def __init__(self, node_id: str, position: str | None) -> None:
        """Begin with the peer's name and the position to go on from."""
        self._node_id = node_id
        self._began = self._said = time.monotonic()
        self._first = positions.time_of(position)
        self._bar: Any = None

    def __enter__(self) -> Self:
        """Show an empty bar on a terminal."""
        if sys.stderr.isatty():
            from tqdm import tqdm  # noqa: PLC0415  not needed in a pipe

            self._bar = tqdm(
                desc=printable(self._node_id),
                total=1.0,
                bar_format="{desc}: {percentage:3.0f}%|{bar}| {postfix}",
                dynamic_ncols=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()

    def show(self, progress: Progress, wait: float = 0.0) -> None:
        """Show *progress*; *wait* is for how many seconds nothing will happen."""
        if self._bar is not None:
            self._bar.n = 1.0 if progress.caught_up else self._share(progress)
            text = f"{self._text(progress)}, trying again in {wait:.0f} s" if wait >= 1 else None
            self._bar.set_postfix_str(text or self._text(progress))
        elif time.monotonic() - self._said >= MINUTE:
            self._said = time.monotonic()
            tell(f"info: peer {self._node_id}: {self._text(progress)}")

    def _text(self, progress: Progress) -> str:
        facts = progress.new + progress.held
        rate = facts / max(time.monotonic() - self._began, 0.001)
        return f"{facts:,} facts, {rate:,.0f}/s, reached {shown(progress.position)}"

    def _share(self, progress: Progress) -> float:
        # The peer does not say how many facts it has, but each position is a time.
        reached = positions.time_of(progress.position)
        if reached is None:
            return 0.0
        self._first = self._first or reached
        whole = time.time() - self._first.timestamp()
        return max(0.0, min(1.0, (reached - self._first).total_seconds() / max(whole, 0.001)))
