"""What a peer's answer is: a page of facts that can be stored, or a problem with a name.

A peer serves its facts in pages, each with the position after its last row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any

from stigmem_cursor_plugin.core.positions import is_served_before

FULL_PAGE = 500
"""The most facts that a peer serves in one answer (stigmem-node 0.9.0a1 to 0.9.0a12)."""


class PageTrouble(StrEnum):
    """Why a peer is not caught up."""

    NO_ANSWER = "no answer"
    BAD_ANSWER = "bad answer"
    SERVER_ERROR = "server error"
    BUSY = "busy"
    DENIED = "denied"
    UNEXPECTED = "unexpected status"
    STANDS_STILL = "stands still"
    WENT_BACK = "went back"
    MOVED_BACK = "moved back"
    REPEATED = "repeated"
    DROPPED = "dropped"
    NOT_ACTIVE = "not active"
    NOT_ASKED = "not asked"
    ORIGIN_UNKNOWN = "origin unknown"
    FACT_REFUSED = "fact refused"


@dataclass(frozen=True, slots=True)
class Ask:
    """The next page to ask a peer for.

    ``limit`` is the most facts to ask for, ``passed_over`` the ids of facts to leave out of what
    comes, ``last_page`` the ids of the page before. ``ahead`` is the size of the page to ask for
    while this one is stored; 0 is none. ``skip_refused`` goes on past facts that cannot be stored.
    """

    position: str | None
    limit: int = FULL_PAGE
    passed_over: frozenset[str] = frozenset()
    last_page: Sequence[str] = ()
    ahead: int = FULL_PAGE
    skip_refused: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status with a document, or ``error``, what went wrong on the way.

    ``document`` is the JSON of the answer, None where it is not JSON. ``retry_after`` is in
    seconds, 0 where the peer names no time.
    """

    status: int = 0
    document: Any = None
    retry_after: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of facts: their ids in order, and the position after them."""

    fact_ids: Sequence[str]
    position: str | None
    has_more: bool


@dataclass(frozen=True, slots=True)
class PageProblem:
    """A page that was not stored, and why; ``detail`` is the peer's or the host's own word.

    ``retry_after`` is in seconds, 0 where the peer names no time.
    """

    trouble: PageTrouble
    detail: str = ""
    retry_after: float = 0.0


class Cause(Enum):
    """Why the node's rules reject a fact, as far as it matters for what comes next."""

    FOR_GOOD = "for good"
    """Nobody can mend it."""
    PEER_UNKNOWN = "peer unknown"
    """The node cannot verify the peer's own facts."""
    ORIGIN_UNKNOWN = "origin unknown"
    """The node cannot verify the origin of a fact that the peer hands on."""
    RELAY_NOT_TRUSTED = "relay not trusted"


@dataclass(frozen=True, slots=True)
class UnstoredFact:
    """A fact that was not stored, and why.

    ``reason`` is in the host's words, empty where it says nothing.
    """

    fact_id: str
    reason: str
    cause: Cause = Cause.FOR_GOOD


def judge(answer: Answer, ask: Ask) -> Page | PageProblem:
    """Return the page in an answer to *ask*, or why there is none that can be stored."""
    if answer.error:
        return PageProblem(PageTrouble.NO_ANSWER, answer.error)
    if answer.status != 200:
        return _status(answer)
    page = _page(answer.document)
    if page is None or len(page.fact_ids) > ask.limit:
        return PageProblem(PageTrouble.BAD_ANSWER)
    if is_served_before(page.position, ask.position):
        return PageProblem(PageTrouble.WENT_BACK, page.position or "none")
    if page.has_more and page.position == ask.position:
        return PageProblem(PageTrouble.STANDS_STILL)
    if page.has_more and page.fact_ids and list(page.fact_ids) == list(ask.last_page):
        return PageProblem(PageTrouble.REPEATED)
    return page


def _status(answer: Answer) -> PageProblem:
    detail = str(answer.status)
    if answer.status == 429:
        return PageProblem(PageTrouble.BUSY, detail, answer.retry_after)
    if answer.status in (401, 403):
        return PageProblem(PageTrouble.DENIED, detail)
    if answer.status >= 500:
        return PageProblem(PageTrouble.SERVER_ERROR, detail, answer.retry_after)
    return PageProblem(PageTrouble.UNEXPECTED, detail)


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


def unverifiable(page: Page, rejected: Sequence[UnstoredFact]) -> bool:
    """Tell whether the node cannot verify any fact of the peer now: none may be passed over.

    The peer's manifest has expired, or this node has none: that can be mended. Passing over would
    lose its facts for ever, a page at a time.
    """
    every_fact = bool(rejected) and len(rejected) == len(page.fact_ids)
    return every_fact and all(fact.cause is Cause.PEER_UNKNOWN for fact in rejected)


def can_be_mended(rejected: Sequence[UnstoredFact]) -> UnstoredFact | None:
    """Return the first fact that was rejected for what can be mended, None where there is none.

    A relay may serve facts of a node that does not answer at the moment; and a relay that was
    registered again is not trusted until somebody says so. The host's own loop passes over all of
    them for ever (0.9.0a11 and a12).
    """
    return next((fact for fact in rejected if fact.cause is not Cause.FOR_GOOD), None)
