"""What catching up decides: which peers, what to ask for next, how long to rest."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmem_cursor_plugin.core.catchup import (
    Ending,
    PageOutcome,
    Progress,
    Refused,
    Result,
    Stored,
    Timing,
    after,
    begin,
    ending,
    refusal,
    rest,
)
from stigmem_cursor_plugin.core.page import Ask, Cause, Page, PageProblem, PageTrouble, UnstoredFact
from stigmem_cursor_plugin.core.snapshot import Peer

HERE = "1725349500000.5"
NEXT = "1725349500001.0"


def stored(has_more: bool = True, **values: int) -> Stored:
    """A page of two facts that was stored."""
    counts = {"new": 2, "held": 0, **values}
    return Stored(Page(["a", "b"], NEXT, has_more), counts["new"], counts["held"])


def test_stored_page() -> None:
    """After a page the next one is asked for, after its position."""
    progress = after(begin(HERE), stored())
    assert progress.ask == Ask(NEXT, last_page=["a", "b"])
    assert (progress.new, progress.held, progress.ended) == (2, 0, False)
    progress = after(progress, stored(has_more=False, new=0, held=2))
    assert (progress.new, progress.held, progress.caught_up) == (2, 2, True)


def test_counts_add_up() -> None:
    """Facts that are new, were there or were rejected are counted over all pages."""
    begun = replace(begin(HERE), new=3, held=3, rejected=3, wait=1.0, attempts=2)
    bad = [UnstoredFact("a", "why"), UnstoredFact("b", "why"), UnstoredFact("c", "why")]
    progress = after(begun, replace(stored(new=3, held=3), rejected=bad))
    assert (progress.new, progress.held, progress.rejected) == (6, 6, 6)
    assert progress.named == tuple(bad)
    assert (progress.wait, progress.attempts) == (0.0, 0)


def test_no_wait_after_a_refused_fact() -> None:
    """What follows a refused fact is asked for at once: the peer has answered."""
    waited = replace(begin(HERE, skip_refused=True), wait=1.0, attempts=3)
    for before in (0, 3):
        progress = after(waited, Refused(UnstoredFact("bad", "why"), before))
        assert (progress.wait, progress.attempts) == (0.0, 0)


def test_ten_rejected_facts_are_named() -> None:
    """The first ten rejected facts are named, the others only counted."""
    bad = [UnstoredFact(str(number), "why") for number in range(12)]
    progress = after(begin(HERE), replace(stored(), rejected=bad[:7]))
    progress = after(progress, replace(stored(), rejected=bad[7:]))
    assert (progress.named, progress.rejected) == (tuple(bad[:10]), 12)


def test_refused_fact_behind_others() -> None:
    """Where a fact in the middle of a page is refused, those before it are asked for alone."""
    progress = after(begin(HERE), Refused(UnstoredFact("bad", "why"), before=3))
    assert progress.ask == Ask(HERE, limit=3)
    progress = after(progress, stored())
    assert progress.ask == Ask(NEXT, last_page=["a", "b"])


def test_refused_fact_that_is_first() -> None:
    """Where the first fact of a page is refused, the peer stops there and the fact is named."""
    progress = after(begin(HERE), Refused(UnstoredFact("bad", "why"), before=0))
    assert progress.problem == PageProblem(PageTrouble.FACT_REFUSED, "bad: why")
    assert progress.position == HERE


def test_skipping_refused_facts() -> None:
    """With leave to skip, the page is asked for again and the fact left out of it."""
    begun = begin(HERE, skip_refused=True)
    progress = after(begun, Refused(UnstoredFact("bad", "why"), before=0))
    assert progress.ask == replace(begun.ask, passed_over=frozenset({"bad"}))
    assert progress.refused == (UnstoredFact("bad", "why"),)
    again = after(progress, Refused(UnstoredFact("bad", "why"), before=0))
    assert again.ask.passed_over == frozenset({"bad"})
    assert after(progress, stored()).ask.passed_over == frozenset()


def test_peer_that_never_answers() -> None:
    """A peer that does not answer is tried again after 1, 2, 4 and 8 seconds, then left."""
    progress, trouble = begin(HERE), PageProblem(PageTrouble.NO_ANSWER, "refused")
    for attempts, delay in enumerate((1.0, 2.0, 4.0, 8.0), start=1):
        progress = after(progress, trouble)
        assert (progress.wait, progress.attempts, progress.ended) == (delay, attempts, False)
    assert after(progress, trouble).problem == trouble


def test_attempts_begin_anew_after_a_page() -> None:
    """Each page has all attempts."""
    progress = after(begin(HERE), PageProblem(PageTrouble.SERVER_ERROR, "500"))
    assert (progress.attempts, progress.wait) == (1, 1.0)
    progress = after(progress, stored())
    assert (progress.attempts, progress.wait) == (0, 0.0)


@pytest.mark.parametrize(("asked", "wait"), [(30.0, 30.0), (0.1, 1.0), (0.0, 1.0)])
def test_busy_peer(asked: float, wait: float) -> None:
    """A peer that asks for time is given it, and never less than a second."""
    assert after(begin(HERE), PageProblem(PageTrouble.BUSY, "429", asked)).wait == wait


def test_peer_that_asks_for_too_much_time() -> None:
    """A peer that asks for more than two minutes is left at once."""
    assert after(begin(HERE), PageProblem(PageTrouble.BUSY, "429", 120.0)).wait == 120.0
    busy = PageProblem(PageTrouble.BUSY, "429", 120.1)
    assert after(begin(HERE), busy).problem == busy


@pytest.mark.parametrize(
    "trouble",
    [
        PageTrouble.DENIED,
        PageTrouble.UNEXPECTED,
        PageTrouble.STANDS_STILL,
        PageTrouble.WENT_BACK,
        PageTrouble.REPEATED,
        PageTrouble.DROPPED,
        PageTrouble.NOT_ACTIVE,
        PageTrouble.ORIGIN_UNKNOWN,
    ],
)
def test_trouble_that_stays(trouble: PageTrouble) -> None:
    """What another attempt would not change is not tried again."""
    assert after(begin(HERE), PageProblem(trouble)).problem == PageProblem(trouble)


OUTCOMES = st.one_of(
    st.builds(
        Stored,
        st.builds(
            Page,
            st.just(["a", "b"]),
            st.integers(0, 9).map(lambda n: f"172534950000{n}.0"),
            st.booleans(),
        ),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    st.builds(
        Refused, st.builds(UnstoredFact, st.text(max_size=3), st.just("why")), st.integers(0, 400)
    ),
    st.builds(PageProblem, st.sampled_from(PageTrouble), st.just(""), st.floats(0, 300)),
)


@given(st.lists(OUTCOMES, max_size=20), st.booleans())
def test_only_a_stored_page_moves_the_position(outcomes: list[PageOutcome], skip: bool) -> None:
    """Whatever happens, the position is that of the last page stored, and all counts grow."""
    progress, position = begin(None, skip_refused=skip), None
    for found in outcomes:
        # A longer answer than asked for is no page.
        outcome = (
            replace(found, before=found.before % progress.ask.limit)
            if isinstance(found, Refused)
            else found
        )
        if progress.ended:
            break
        before, progress = progress, after(progress, outcome)
        if isinstance(outcome, Stored):
            position = outcome.page.position
        assert progress.position == position
        assert progress.new >= before.new
        assert 0 < progress.ask.limit <= 500
        assert progress.ended or progress != before or isinstance(outcome, Stored)


@pytest.mark.parametrize("skip", [False, True])
def test_facts_that_must_not_be_passed_over(skip: bool) -> None:
    """A page is not stored while its peer cannot be verified, or a fact of it can be mended."""
    page, ask = Page(["a", "b"], NEXT, has_more=True), Ask(HERE, skip_refused=skip)
    unknown = [UnstoredFact(one, f"why {one}", Cause.PEER_UNKNOWN) for one in ("a", "b")]
    assert refusal(page, ask, unknown) == PageProblem(PageTrouble.ORIGIN_UNKNOWN, "why a")
    assert refusal(page, ask, unknown[1:]) == (None if skip else Refused(unknown[1], 1))
    for rejected in ([], [UnstoredFact("a", "why")]):
        assert refusal(page, ask, rejected) is None


def test_progress_knows_when_it_has_ended() -> None:
    """A peer has ended when it is caught up or in trouble that stays."""
    assert not Progress(Ask(None)).ended
    assert Progress(Ask(None), caught_up=True).ended
    assert Progress(Ask(None), problem=PageProblem(PageTrouble.BUSY)).ended


@pytest.mark.parametrize(
    ("live", "pause", "seconds"), [(True, 0.0, 0.3), (True, 1.0, 1.0), (False, 0.0, 0.0)]
)
def test_rest_after_a_page(live: bool, pause: float, seconds: float) -> None:
    """Beside a running node the database is left alone for as long as it was locked."""
    page = Stored(Page([], NEXT, has_more=True), 0, 0, seconds=0.3)
    assert rest(page, live=live, pause=pause) == seconds


def test_size_of_pages() -> None:
    """Beside a running node pages are short; a peer that is to be spared is not asked ahead."""
    assert begin(HERE).ask == Ask(HERE, 500, ahead=500)
    assert begin(HERE, live=True).ask == Ask(HERE, 100, ahead=100)
    assert begin(HERE, sparing=True).ask == Ask(HERE, 500, ahead=0)
    assert begin(HERE, skip_refused=True).ask == Ask(HERE, 500, skip_refused=True)


def test_position_settles_as_slowly_as_the_node_pulls() -> None:
    """The slower a page was stored, the longer a pull of the node's own may still be under way."""
    page = Page(["a"], NEXT, has_more=False)
    timing = Timing().with_page(PageProblem(PageTrouble.NO_ANSWER), 120)
    assert timing.settling == 5.0
    assert timing.with_page(Stored(page, 1, 0, seconds=0.1), 0.2).settling == 5.0
    slow = timing.with_page(Stored(page, 1, 0, seconds=2), 3).with_page(Stored(page, 1, 0), 1)
    assert slow.settling == 3 + 20 * 2


@pytest.mark.parametrize(
    ("caught_up", "expected"),
    [
        ([], Ending.COMPLETE),
        ([True, True], Ending.COMPLETE),
        ([True, False], Ending.INCOMPLETE),
        ([False, True], Ending.INCOMPLETE),
    ],
)
def test_ending(caught_up: list[bool], expected: Ending) -> None:
    """A catch-up is complete if every peer is caught up."""
    peer = Peer("id-b", "stigmem://node-b", "", "active")
    results = [Result(peer, None, Progress(Ask(None), caught_up=one)) for one in caught_up]
    assert ending(results) is expected
