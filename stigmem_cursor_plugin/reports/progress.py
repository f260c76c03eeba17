"""Shows how far catching up has come: a bar on a terminal, a line a minute elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from stigmem_cursor_plugin.core import positions
from stigmem_cursor_plugin.core.catchup import Progress
from stigmem_cursor_plugin.core.snapshot import Peer
from stigmem_cursor_plugin.reports.formatting import shown
from stigmem_cursor_plugin.terminal import is_watched, printable, tell

MINUTE = 60.0

Show = Callable[[Progress], None]


class Meter:
    """Shows the progress of a run, one peer at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin now; *clock* tells the time in seconds."""
        self._clock = clock
        self._said = clock()

    @contextmanager
    def of(self, peer: Peer, progress: Progress) -> Iterator[Show]:
        """Yield what shows the progress of *peer*, which begins at *progress*.

        On a terminal that is a bar. It is taken away at the end: what came of the peer is said
        in a line then.
        """
        pace = _Pace(peer, progress, self._clock)
        if not is_watched():
            yield partial(self._tell, pace)
            return
        from tqdm import tqdm  # noqa: PLC0415  not needed in a pipe

        with tqdm(
            desc=printable(peer.node_id),
            total=1.0,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {postfix}",
            dynamic_ncols=True,
            leave=False,
        ) as bar:
            yield partial(_draw, bar, pace)

    def _tell(self, pace: "_Pace", progress: Progress) -> None:
        if self._clock() - self._said >= MINUTE:
            self._said = self._clock()
            tell(f"info: peer {pace.peer.node_id}: {pace.text(progress)}")


def _draw(bar: Any, pace: "_Pace", progress: Progress) -> None:
    bar.n = pace.share(progress)
    bar.set_postfix_str(pace.text(progress))


class _Pace:
    """How quickly one peer's facts are fetched."""

    def __init__(self, peer: Peer, progress: Progress, clock: Callable[[], float]) -> None:
        self.peer = peer
        self._clock = clock
        self._began = clock()
        self._facts = progress.new + progress.held
        self._first = positions.time_of(progress.position)

    def text(self, progress: Progress) -> str:
        facts = progress.new + progress.held
        rate = (facts - self._facts) / max(self._clock() - self._began, 0.001)
        return f"{facts:,} fact(s), {rate:,.0f}/s, reached {shown(progress.position)}"

    def share(self, progress: Progress) -> float:
        # The peer does not say how many facts it has, but each position is a time.
        if progress.caught_up:
            return 1.0
        reached = positions.time_of(progress.position)
        if reached is None:
            return 0.0
        self._first = self._first or reached
        whole = time.time() - self._first.timestamp()
        return max(0.0, min(1.0, (reached - self._first).total_seconds() / max(whole, 0.001)))
