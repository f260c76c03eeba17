"""Shows how far catching up has come: a bar on a terminal, a line a minute elsewhere."""

import time
from typing import Any, Self

from stigmem_cursor_plugin.core import positions
from stigmem_cursor_plugin.core.catchup import Progress
from stigmem_cursor_plugin.reports.formatting import shown
from stigmem_cursor_plugin.terminal import is_watched, printable, tell

MINUTE = 60.0


class Meter:
    """Shows the progress of one peer while its facts are fetched."""

    def __init__(self, node_id: str, progress: Progress) -> None:
        """Begin with the peer's name and what has been done."""
        self._node_id = node_id
        self._began = self._said = time.monotonic()
        self._facts = progress.new + progress.held
        self._first = positions.time_of(progress.position)
        self._bar: Any = None

    def __enter__(self) -> Self:
        """Show an empty bar on a terminal."""
        if is_watched():
            from tqdm import tqdm  # noqa: PLC0415  not needed in a pipe

            self._bar = tqdm(
                desc=printable(self._node_id),
                total=1.0,
                bar_format="{desc}: {percentage:3.0f}%|{bar}| {postfix}",
                dynamic_ncols=True,
                leave=False,
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away: what came of the peer is said in a line."""
        if self._bar is not None:
            self._bar.close()

    def show(self, progress: Progress) -> None:
        """Show *progress*."""
        if self._bar is not None:
            self._bar.n = 1.0 if progress.caught_up else self._share(progress)
            self._bar.set_postfix_str(self._text(progress))
        elif time.monotonic() - self._said >= MINUTE:
            self._said = time.monotonic()
            tell(f"info: peer {self._node_id}: {self._text(progress)}")

    def _text(self, progress: Progress) -> str:
        facts = progress.new + progress.held
        rate = (facts - self._facts) / max(time.monotonic() - self._began, 0.001)
        return f"{facts:,} facts, {rate:,.0f}/s, reached {shown(progress.position)}"

    def _share(self, progress: Progress) -> float:
        # The peer does not say how many facts it has, but each position is a time.
        reached = positions.time_of(progress.position)
        if reached is None:
            return 0.0
        self._first = self._first or reached
        whole = time.time() - self._first.timestamp()
        return max(0.0, min(1.0, (reached - self._first).total_seconds() / max(whole, 0.001)))
