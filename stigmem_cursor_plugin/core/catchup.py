"""Catching up with one peer: what came of a page, and what to ask for next.

A driver asks for the page after :attr:`Progress.position`, has the host store it, and hands what
came of it to :func:`after`, which returns the next :class:`Progress`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from stigmem_cursor_plugin.core.page import (
    FULL_PAGE,
    Ask,
    Page,
    PageProblem,
    PageTrouble,
    UnstoredFact,
    can_be_mended,
    unverifiable,
)
from stigmem_cursor_plugin.core.snapshot import Peer

LIVE_PAGE = 100
"""Facts in a page beside a running node, so that its own writes wait a tenth of a second."""

DELAYS = (1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before each further attempt; then the peer is left."""

LONGEST_RETRY_AFTER = 120.0
"""The longest ``Retry-After`` that is obeyed, in seconds."""

SHORTEST_SETTLING = 5.0
"""Seconds that a position must stay at least, after ``--live``, to be taken for settled."""

LOOP_SLOWNESS = 20
"""At most how many times as long the node's own loop takes for a page (measured: 4 to 16 times,
benchmarks/catchup.md)."""

NAMED = 10
"""How many rejected facts are named; the others are counted."""

_TRY_AGAIN = (
    PageTrouble.NO_ANSWER,
    PageTrouble.BAD_ANSWER,
    PageTrouble.SERVER_ERROR,
    PageTrouble.BUSY,
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A page that was stored, with its position.

    ``new`` facts were stored, ``held`` ones were there, ``rejected`` ones the host's rules passed
    over. ``seconds`` is for how long the database was locked.
    """

    page: Page
    new: int
    held: int
    rejected: Sequence[UnstoredFact] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing of a page was stored, for one fact of it.

    The host raised an error on it, or its rules reject it for what can be mended.
    ``before`` counts the facts that stand before it in the page.
    """

    fact: UnstoredFact
    before: int


PageOutcome = Stored | Refused | PageProblem


def refusal(page: Page, ask: Ask, rejected: Sequence[UnstoredFact]) -> Refused | PageProblem | None:
    """Return why a page must not be stored, for the facts of it that the node's rules rejected.

    None where it may be: what they reject for good is passed over, as the node's loop does.
    """
    if unverifiable(page, rejected):
        return PageProblem(PageTrouble.ORIGIN_UNKNOWN, rejected[0].reason)
    mendable = can_be_mended(rejected)
    if mendable is None or ask.skip_refused:
        return None
    return Refused(mendable, list(page.fact_ids).index(mendable.fact_id))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far catching up with one peer has come, and what to ask for next.

    ``wait`` is in seconds, to be waited before that. ``new``, ``held`` and ``rejected`` count
    facts; ``named`` holds the first few rejected ones. ``refused`` are the facts that
    ``--skip-refused`` went past.
    """

    ask: Ask
    page_size: int = FULL_PAGE
    wait: float = 0.0
    attempts: int = 0
    new: int = 0
    held: int = 0
    rejected: int = 0
    named: tuple[UnstoredFact, ...] = ()
    refused: tuple[UnstoredFact, ...] = ()
    caught_up: bool = False
    problem: PageProblem | None = None

    @property
    def position(self) -> str | None:
        """The position that is stored."""
        return self.ask.position

    @property
    def ended(self) -> bool:
        """Tell whether there is nothing more to ask for."""
        return self.caught_up or self.problem is not None


def begin(
    position: str | None, *, live: bool = False, sparing: bool = False, skip_refused: bool = False
) -> Progress:
    """Return where catching up with a peer begins.

    *live* is beside a running node; *sparing* asks for a page only once the one before is stored;
    *skip_refused* goes on past refused facts.
    """
    size = LIVE_PAGE if live else FULL_PAGE
    ahead = 0 if sparing else size
    ask = Ask(position, size, ahead=ahead, skip_refused=skip_refused)
    return Progress(ask, size)


def after(progress: Progress, outcome: PageOutcome) -> Progress:
    """Return what comes next after *outcome*."""
    if isinstance(outcome, Stored):
        return _stored(progress, outcome)
    if isinstance(outcome, Refused):
        return _refused(progress, outcome)
    return _troubled(progress, outcome)


def _stored(progress: Progress, stored: Stored) -> Progress:
    size = progress.page_size
    page = stored.page
    return replace(
        progress,
        ask=replace(
            progress.ask,
            position=page.position,
            limit=size,
            passed_over=frozenset(),
            last_page=page.fact_ids,
        ),
        wait=0.0,
        attempts=0,
        new=progress.new + stored.new,
        held=progress.held + stored.held,
        rejected=progress.rejected + len(stored.rejected),
        named=(*progress.named, *stored.rejected)[:NAMED],
        caught_up=not page.has_more,
    )


def _refused(progress: Progress, refused: Refused) -> Progress:
    ask = progress.ask
    if refused.before:
        # The facts before it come as a page of their own; then it stands first in the next.
        return replace(progress, ask=replace(ask, limit=refused.before), wait=0.0, attempts=0)
    if not ask.skip_refused:
        reason = f"{refused.fact.fact_id}: {refused.fact.reason}"
        return replace(progress, problem=PageProblem(PageTrouble.FACT_REFUSED, reason))
    passed_over = ask.passed_over | {refused.fact.fact_id}
    return replace(
        progress,
        ask=replace(ask, limit=progress.page_size, passed_over=passed_over),
        wait=0.0,
        attempts=0,
        refused=(*progress.refused, refused.fact),
    )


def _troubled(progress: Progress, problem: PageProblem) -> Progress:
    delays = DELAYS[progress.attempts :]
    may_pass = problem.trouble in _TRY_AGAIN and problem.retry_after <= LONGEST_RETRY_AFTER
    if not may_pass or not delays:
        return replace(progress, problem=problem)
    delay = max(delays[0], problem.retry_after)
    return replace(progress, wait=delay, attempts=progress.attempts + 1)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the slowest page took: in all, and of that with the database locked, in seconds."""

    whole: float = 0.0
    locked: float = 0.0

    def with_page(self, outcome: PageOutcome, seconds: float) -> "Timing":
        """Return it with one more page, if *outcome* is one."""
        if not isinstance(outcome, Stored):
            return self
        return Timing(max(self.whole, seconds), max(self.locked, outcome.seconds))

    @property
    def settling(self) -> float:
        """For how many seconds a position must stay until the node's own pull cannot set it back.

        A pull of the node's fetches as much, and stores it many times more slowly.
        """
        return max(SHORTEST_SETTLING, self.whole + LOOP_SLOWNESS * self.locked)


def rest(outcome: PageOutcome, *, live: bool, pause: float) -> float:
    """Return for how many seconds to leave the database and the peer alone after *outcome*.

    Beside a running node (*live*) for as long as the database was locked: SQLite's waiting
    writers only look now and then whether it is free.
    """
    if live and isinstance(outcome, Stored):
        return max(outcome.seconds, pause)
    return pause


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one peer; ``previous`` is its position at the start."""

    peer: Peer
    previous: str | None
    progress: Progress


class Ending(StrEnum):
    """How a catch-up ended; the value is the word for it everywhere."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """A peer is not caught up."""
    INTERRUPTED = "interrupted"
    """A signal ended it."""
    FAILED = "failed"
    """An error ended it."""


def ending(results: Iterable[Result]) -> Ending:
    """Return how a catch-up ended that nothing has cut short."""
    whole = all(result.progress.caught_up for result in results)
    return Ending.COMPLETE if whole else Ending.INCOMPLETE
