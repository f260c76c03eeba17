"""Catching up with one peer: what its answer means, and what to do next.

The peer serves its facts in pages, each with the position after its last row. A driver asks for
the page after :attr:`Progress.position`, has the host store it, and hands what came of it to
:func:`after`, which returns the next :class:`Progress`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

FULL_PAGE = 500
"""The most facts that a peer serves in one answer (stigmem-node 0.9.0a1 to 0.9.0a12)."""

LIVE_PAGE = 100
"""Facts in a page beside a running node, so that its own writes wait a tenth of a second."""

DELAYS = (1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before each further attempt; then the peer is left."""

PATIENCE = 120.0
"""The longest ``Retry-After`` that is obeyed, in seconds."""

NAMED = 10
"""How many rejected facts are named; the others are counted."""


class Trouble(StrEnum):
    """Why a peer is not caught up."""

    NO_ANSWER = "no answer"
    BAD_ANSWER = "bad answer"
    SERVER_ERROR = "server error"
    BUSY = "busy"
    DENIED = "denied"
    UNEXPECTED = "unexpected status"
    STANDS_STILL = "stands still"
    WENT_BACK = "went back"
    REPEATED = "repeated"
    DROPPED = "dropped"
    ORIGIN_UNKNOWN = "origin unknown"
    FACT_REFUSED = "fact refused"


_TRY_AGAIN = (Trouble.NO_ANSWER, Trouble.BAD_ANSWER, Trouble.SERVER_ERROR, Trouble.BUSY)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status with a document, or ``error``, what went wrong on the way.

    ``document`` is the JSON of the answer, None where it is not JSON. ``retry_after`` is in
    seconds.
    """

    status: int = 0
    document: Any = None
    retry_after: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of facts: their ids in order, and the position after them."""

    fact_ids: Sequence[str]
    position: str | None
    has_more: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """A page that was not stored, and why; ``detail`` is the peer's or the host's own word."""

    trouble: Trouble
    detail: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that was not stored, and why."""

    fact_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A page that was stored, with its position.

    ``new`` facts were stored, ``held`` ones were there, ``rejected`` ones the host's rules passed
    over. ``seconds`` is for how long the database was locked.
    """

    page: Page
    new: int
    held: int
    rejected: Sequence[Fact] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """The host raised an error on a fact; nothing of the page was stored.

    ``before`` counts the facts that stand before it in the page.
    """

    fact: Fact
    before: int


Outcome = Stored | Refused | Problem


@dataclass(frozen=True, slots=True)
class Ask:
    """The next page to ask a peer for.

    ``limit`` is the most facts to ask for, ``passed_over`` the ids of facts to leave out of what
    comes, ``last_page`` the ids of the page before. ``ahead`` is the size of the page to ask for
    while this one is stored; 0 is none.
    """

    position: str | None
    limit: int = FULL_PAGE
    passed_over: frozenset[str] = frozenset()
    last_page: Sequence[str] = ()
    ahead: int = FULL_PAGE


@dataclass(frozen=True, slots=True)
class Progress:
    """How far catching up with one peer has come, and what to ask for next.

    ``wait`` is in seconds, to be waited before that. ``new``, ``held`` and ``rejected`` count
    facts, of which ``named`` holds the first few rejected ones and ``refused`` all that the host
    raised an error on.
    """

    ask: Ask
    page_size: int = FULL_PAGE
    wait: float = 0.0
    attempts: int = 0
    new: int = 0
    held: int = 0
    rejected: int = 0
    named: tuple[Fact, ...] = ()
    refused: tuple[Fact, ...] = ()
    caught_up: bool = False
    problem: Problem | None = None

    @property
    def position(self) -> str | None:
        """The position that is stored."""
        return self.ask.position

    @property
    def ended(self) -> bool:
        """Tell whether there is nothing more to ask for."""
        return self.caught_up or self.problem is not None


def begin(position: str | None, page_size: int = FULL_PAGE, *, ahead: bool = True) -> Progress:
    """Return where catching up with a peer begins; *ahead* says whether to ask ahead."""
    return Progress(Ask(position, page_size, ahead=page_size if ahead else 0), page_size)


def judge(answer: Answer, ask: Ask) -> Page | Problem:
    """Return the page in an answer to *ask*, or why there is none that can be stored.

    A peer pages by the text of its positions (``hlc > ?``), so text decides what lies ahead.
    """
    if answer.error:
        return Problem(Trouble.NO_ANSWER, answer.error)
    if answer.status != 200:
        return _status(answer)
    page = _page(answer.document)
    if page is None or len(page.fact_ids) > ask.limit:
        return Problem(Trouble.BAD_ANSWER)
    if (page.position or "") < (ask.position or ""):
        return Problem(Trouble.WENT_BACK, page.position or "none")
    if page.has_more and page.position == ask.position:
        return Problem(Trouble.STANDS_STILL)
    if page.has_more and page.fact_ids and list(page.fact_ids) == list(ask.last_page):
        return Problem(Trouble.REPEATED)
    return page


def _status(answer: Answer) -> Problem:
    detail = str(answer.status)
    if answer.status == 429:
        return Problem(Trouble.BUSY, detail, answer.retry_after)
    if answer.status in (401, 403):
        return Problem(Trouble.DENIED, detail)
    if answer.status >= 500:
        return Problem(Trouble.SERVER_ERROR, detail, answer.retry_after)
    return Problem(Trouble.UNEXPECTED, detail)


def _page(document: Any) -> Page | None:
    if not isinstance(document, dict):
        return None
    facts, position = document.get("facts"), document.get("cursor")
    if not isinstance(facts, list) or not (position is None or isinstance(position, str)):
        return None
    return Page([fact_id(entry) for entry in facts], position, bool(document.get("has_more")))


def fact_id(entry: Any) -> str:
    """Return the id of a fact in a page, empty where it has none.

    From 0.9.0a11 on an entry is an envelope around the fact.
    """
    if not isinstance(entry, dict):
        return ""
    fact = entry.get("fact", entry)
    return str(fact.get("id", "")) if isinstance(fact, dict) else ""


def unverifiable(page: Page, rejected: Sequence[Fact]) -> bool:
    """Tell whether the node cannot verify any fact of the peer now: none may be passed over.

    That lies with the peer (its manifest has expired, or this node has none), not with a fact,
    and may be mended. Its facts would be skipped for ever, a page at a time. Host behaviour:
    ``resolve_origin_key`` (0.9.0a11 and a12); a relayed fact lies with another node.
    """
    return 0 < len(page.fact_ids) == len(rejected) and all(
        "(origin_unresolvable)" in fact.reason and "relayed origin" not in fact.reason
        for fact in rejected
    )


def after(progress: Progress, outcome: Outcome, *, skip_refused: bool = False) -> Progress:
    """Return what comes next after *outcome*; *skip_refused* goes on past refused facts."""
    if isinstance(outcome, Stored):
        return _stored(progress, outcome)
    if isinstance(outcome, Refused):
        return _refused(progress, outcome, skip_refused=skip_refused)
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


def _refused(progress: Progress, refused: Refused, *, skip_refused: bool) -> Progress:
    ask = progress.ask
    if refused.before:
        # The facts before it come as a page of their own; then it stands first in the next.
        return replace(progress, ask=replace(ask, limit=refused.before), wait=0.0)
    if not skip_refused:
        reason = f"{refused.fact.fact_id}: {refused.fact.reason}"
        return replace(progress, problem=Problem(Trouble.FACT_REFUSED, reason))
    passed_over = ask.passed_over | {refused.fact.fact_id}
    return replace(
        progress,
        ask=replace(ask, limit=progress.page_size, passed_over=passed_over),
        wait=0.0,
        refused=(*progress.refused, refused.fact),
    )


def _troubled(progress: Progress, problem: Problem) -> Progress:
    asked_to_wait = problem.retry_after or 0.0
    give_up = (
        problem.trouble not in _TRY_AGAIN
        or progress.attempts == len(DELAYS)
        or asked_to_wait > PATIENCE
    )
    if give_up:
        return replace(progress, problem=problem)
    delay = max(DELAYS[progress.attempts], asked_to_wait)
    return replace(progress, wait=delay, attempts=progress.attempts + 1)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one peer; ``before`` is its position at the start."""

    peer_id: str
    node_id: str
    before: str | None
    progress: Progress
