"""What catching up decides: what an answer means, and what to do next."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmem_cursor_plugin.core.catchup import (
    DELAYS,
    PATIENCE,
    Answer,
    Ask,
    Fact,
    Outcome,
    Page,
    Problem,
    Progress,
    Refused,
    Stored,
    Trouble,
    after,
    begin,
    fact_id,
    judge,
    unverifiable,
)

HERE = "1725349500000.5"
NEXT = "1725349500001.0"


def page(*ids: str, cursor: object = NEXT, has_more: bool = True) -> Answer:
    """An answer with a page of facts."""
    facts = [{"fact": {"id": name}} for name in ids]
    return Answer(200, {"facts": facts, "cursor": cursor, "has_more": has_more})


def test_a_page() -> None:
    """An answer with facts and a later position is a page."""
    assert judge(page("a", "b"), Ask(HERE)) == Page(["a", "b"], NEXT, has_more=True)


def test_nothing_more() -> None:
    """An answer without facts, at the same position and without more, is the last page."""
    assert judge(page(cursor=HERE, has_more=False), Ask(HERE)) == Page([], HERE, has_more=False)
    nothing = Page([], None, has_more=False)
    assert judge(page(cursor=None, has_more=False), Ask(None)) == nothing


def test_text_decides_what_is_ahead() -> None:
    """A peer orders positions by their text: .9 comes after .10."""
    assert isinstance(judge(page("a", cursor="1725349500000.9"), Ask("1725349500000.10")), Page)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Answer(error="refused"), Trouble.NO_ANSWER),
        (Answer(500), Trouble.SERVER_ERROR),
        (Answer(503, retry_after=3.0), Trouble.SERVER_ERROR),
        (Answer(429), Trouble.BUSY),
        (Answer(401), Trouble.DENIED),
        (Answer(403), Trouble.DENIED),
        (Answer(404), Trouble.UNEXPECTED),
        (Answer(301), Trouble.UNEXPECTED),
        (Answer(200), Trouble.BAD_ANSWER),
        (Answer(200, []), Trouble.BAD_ANSWER),
        (Answer(200, {"facts": 5, "cursor": NEXT}), Trouble.BAD_ANSWER),
        (Answer(200, {"cursor": NEXT}), Trouble.BAD_ANSWER),
        (page("a", cursor=5), Trouble.BAD_ANSWER),
        (page("a", cursor="1725349400000.0"), Trouble.WENT_BACK),
        (page("a", cursor=None), Trouble.WENT_BACK),
        (page(cursor="1725349400000.0", has_more=False), Trouble.WENT_BACK),
        (page("a", cursor=HERE), Trouble.STANDS_STILL),
        (page("x", "y"), Trouble.REPEATED),
        (page(*"abcdef"), Trouble.BAD_ANSWER),
    ],
)
def test_answers_that_are_no_page(answer: Answer, trouble: Trouble) -> None:
    """Each way in which a peer can misbehave has a name of its own."""
    problem = judge(answer, Ask(HERE, limit=5, last_page=["x", "y"]))
    assert isinstance(problem, Problem)
    assert problem.trouble is trouble
    assert problem.retry_after == answer.retry_after


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=10,
)


@given(JSON | st.fixed_dictionaries({"facts": st.lists(JSON), "cursor": JSON, "has_more": JSON}))
def test_any_document(document: object) -> None:
    """Whatever JSON a peer answers with, it is a page that moves forward or a problem."""
    found = judge(Answer(200, document), Ask(HERE))
    if isinstance(found, Page):
        assert (found.position or "") >= HERE
        assert found.position != HERE or not found.has_more


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"fact": {"id": "a"}}, "a"),
        ({"id": "a"}, "a"),
        ({"fact": 5}, ""),
        ({}, ""),
        (None, ""),
        ("text", ""),
    ],
)
def test_id_of_a_fact(entry: object, expected: str) -> None:
    """The id is found in the envelope, and in the bare fact of older releases."""
    assert fact_id(entry) == expected


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


def test_refused_fact_behind_others() -> None:
    """Where a fact in the middle of a page is refused, those before it are asked for alone."""
    progress = after(begin(HERE), Refused(Fact("bad", "why"), before=3))
    assert progress.ask == Ask(HERE, limit=3)
    progress = after(progress, stored())
    assert progress.ask == Ask(NEXT, last_page=["a", "b"])


def test_refused_fact_that_is_first() -> None:
    """Where the first fact of a page is refused, the peer stops there and the fact is named."""
    progress = after(begin(HERE), Refused(Fact("bad", "why"), before=0))
    assert progress.problem == Problem(Trouble.FACT_REFUSED, "bad: why")
    assert progress.position == HERE


def test_skipping_refused_facts() -> None:
    """With leave to skip, the page is asked for again and the fact left out of it."""
    progress = after(begin(HERE), Refused(Fact("bad", "why"), before=0), skip_refused=True)
    assert progress.ask == Ask(HERE, passed_over=frozenset({"bad"}))
    assert progress.refused == (Fact("bad", "why"),)
    assert after(progress, stored()).ask.passed_over == frozenset()


def test_peer_that_never_answers() -> None:
    """A peer that does not answer is tried again after 1, 2, 4 and 8 seconds, then left."""
    progress = begin(HERE)
    waits = []
    while not progress.ended:
        progress = after(progress, Problem(Trouble.NO_ANSWER, "refused"))
        waits.append(progress.wait)
    assert waits[:-1] == list(DELAYS)
    assert progress.problem == Problem(Trouble.NO_ANSWER, "refused")


def test_attempts_begin_anew_after_a_page() -> None:
    """Each page has all attempts."""
    progress = after(begin(HERE), Problem(Trouble.SERVER_ERROR, "500"))
    assert (progress.attempts, progress.wait) == (1, 1.0)
    progress = after(progress, stored())
    assert (progress.attempts, progress.wait) == (0, 0.0)


@pytest.mark.parametrize(("asked", "wait"), [(30.0, 30.0), (0.1, 1.0), (None, 1.0)])
def test_busy_peer(asked: float | None, wait: float) -> None:
    """A peer that asks for time is given it, and never less than a second."""
    assert after(begin(HERE), Problem(Trouble.BUSY, "429", asked)).wait == wait


def test_peer_that_asks_for_too_much_time() -> None:
    """A peer that asks for more than two minutes is left at once."""
    busy = Problem(Trouble.BUSY, "429", PATIENCE + 1)
    assert after(begin(HERE), busy).problem == busy


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble.DENIED,
        Trouble.UNEXPECTED,
        Trouble.STANDS_STILL,
        Trouble.WENT_BACK,
        Trouble.REPEATED,
        Trouble.DROPPED,
        Trouble.ORIGIN_UNKNOWN,
    ],
)
def test_trouble_that_stays(trouble: Trouble) -> None:
    """What another attempt would not change is not tried again."""
    assert after(begin(HERE), Problem(trouble)).problem == Problem(trouble)


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
    st.builds(Refused, st.builds(Fact, st.text(max_size=3), st.just("why")), st.integers(0, 400)),
    st.builds(Problem, st.sampled_from(Trouble), st.just(""), st.none() | st.floats(0, 300)),
)


@given(st.lists(OUTCOMES, max_size=20), st.booleans())
def test_only_a_stored_page_moves_the_position(outcomes: list[Outcome], skip: bool) -> None:
    """Whatever happens, the position is that of the last page stored, and all counts grow."""
    progress, position = begin(None), None
    for found in outcomes:
        # A longer answer than asked for is no page.
        outcome = (
            replace(found, before=found.before % progress.ask.limit)
            if isinstance(found, Refused)
            else found
        )
        if progress.ended:
            break
        before, progress = progress, after(progress, outcome, skip_refused=skip)
        if isinstance(outcome, Stored):
            position = outcome.page.position
        assert progress.position == position
        assert progress.new >= before.new
        assert 0 < progress.ask.limit <= 500
        assert progress.ended or progress != before or isinstance(outcome, Stored)


def test_facts_that_cannot_be_verified_now() -> None:
    """Only a page of which the node can verify no fact is left unread."""
    unknown = "skip fact (origin_unresolvable): no stored manifest"
    two = Page(["a", "b"], NEXT, has_more=True)
    bad = [Fact("a", unknown), Fact("b", unknown)]
    assert unverifiable(two, bad)
    assert not unverifiable(two, bad[:1])
    assert not unverifiable(two, [bad[0], Fact("b", "skip fact (cid_required)")])
    relayed = "skip fact (origin_unresolvable): relayed origin 'x' is unanchored"
    assert not unverifiable(two, [Fact("a", relayed), Fact("b", relayed)])
    assert not unverifiable(replace(two, fact_ids=[]), [])


def test_progress_knows_when_it_has_ended() -> None:
    """A peer has ended when it is caught up or in trouble that stays."""
    assert not Progress(Ask(None)).ended
    assert Progress(Ask(None), caught_up=True).ended
    assert Progress(Ask(None), problem=Problem(Trouble.BUSY)).ended
