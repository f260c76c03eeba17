"""Where standard error is no terminal: a line a minute, whichever peer is being fetched from."""

from dataclasses import dataclass

import pytest

from stigmem_cursor_plugin.core.catchup import Progress
from stigmem_cursor_plugin.core.page import Ask
from stigmem_cursor_plugin.core.snapshot import Peer
from stigmem_cursor_plugin.reports.progress import Meter

POSITION = "1777746600000.0"
REACHED = "reached 2026-05-02T18:30:00Z"
B = Peer("id-b", "stigmem://node-b", "", "active")
C = Peer("id-c", "stigmem://node-\x1b[31mc", "", "active")


@dataclass
class Clock:
    """A clock that is set by hand."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.seconds


def after(facts: int) -> Progress:
    """How far a peer has come with that many facts."""
    return Progress(Ask(POSITION), new=facts)


def test_a_line_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    """The first line comes after a minute, the next a minute after it, with what has come."""
    clock = Clock()
    with Meter(clock).of(B, Progress(Ask(None))) as show:
        for second in range(1, 150):
            clock.seconds += 1
            show(after(1000 * second))
    assert capsys.readouterr().err == (
        f"info: peer stigmem://node-b: 60,000 fact(s), 1,000/s, {REACHED}\n"
        f"info: peer stigmem://node-b: 120,000 fact(s), 1,000/s, {REACHED}\n"
    )


def test_many_peers(capsys: pytest.CaptureFixture[str]) -> None:
    """A minute is counted over all peers; a rate is that of the peer since it was turned to."""
    clock = Clock()
    meter = Meter(clock)
    for peer in (B, C):
        with meter.of(peer, after(500)) as show:
            for second in range(1, 41):
                clock.seconds += 1
                show(after(500 + 10 * second))
    assert capsys.readouterr().err == (
        f"info: peer stigmem://node-\\x1b[31mc: 700 fact(s), 10/s, {REACHED}\n"
    )


def test_nothing_in_less_than_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    """A run of less than a minute says nothing on its way."""
    clock = Clock()
    with Meter(clock).of(B, Progress(Ask(None))) as show:
        clock.seconds += 59
        show(after(59_000))
    assert capsys.readouterr().err == ""
