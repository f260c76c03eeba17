"""Ends a command between two pages, when it is asked to end."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to end; what was stored before stays."""

    def __init__(self, number: int) -> None:
        """Take the number of the signal."""
        super().__init__()
        self.exit_status = 128 + number


@contextmanager
def interruptible(at_work: Callable[[], bool]) -> Iterator[Callable[[], None]]:
    """Raise :class:`Interrupted` on SIGINT or SIGTERM.

    While *at_work*, the signal waits until the yielded function is called: call it after each piece
    of work. Otherwise it raises at once. Once it has raised, both signals are ignored, so that the
    command can still report.
    """
    waiting: list[int] = []
    ending = False

    def handle(number: int, _frame: FrameType | None) -> None:
        waiting.append(number)
        if not at_work():
            check()

    def check() -> None:
        nonlocal ending
        if waiting:
            ending = True
            for number in before:
                signal.signal(number, signal.SIG_IGN)
            raise Interrupted(waiting[0])

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number, handler in before.items():
            # A shell's & and nohup have it ignored on purpose.
            if handler is not signal.SIG_IGN:
                signal.signal(number, handle)
        yield check
    finally:
        for number, handler in before.items() if not ending else ():
            signal.signal(number, handler)
