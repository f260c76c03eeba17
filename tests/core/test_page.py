"""What a peer's answer is taken for: a page that moves forward, or a problem with a name."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmem_cursor_plugin.core.page import (
    Answer,
    Ask,
    Cause,
    Page,
    PageProblem,
    PageTrouble,
    UnstoredFact,
    can_be_mended,
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


@pytest.mark.parametrize(
    ("ids", "last_page"),
    [
        ("abcde", ""),
        ("ab", "a"),
        ("ab", "ac"),
        ("ac", "ab"),
        ("", ""),
    ],
)
def test_another_page(ids: str, last_page: str) -> None:
    """A page may be as large as asked for, begin like the last one, or be empty."""
    ask = Ask(HERE, limit=5, last_page=list(last_page))
    assert judge(page(*ids), ask) == Page(list(ids), NEXT, has_more=True)


def test_the_last_page_again() -> None:
    """The same facts at a later position are no fault where there is nothing more."""
    ask = Ask(HERE, last_page=["a"])
    assert judge(page("a", has_more=False), ask) == Page(["a"], NEXT, has_more=False)


def test_standing_still_at_no_position() -> None:
    """A peer that has more and gives no position stands still."""
    assert judge(page("a", cursor=None), Ask(None)) == PageProblem(PageTrouble.STANDS_STILL)
    assert judge(page("a"), Ask(None)) == Page(["a"], NEXT, has_more=True)


def test_text_decides_what_is_ahead() -> None:
    """A peer orders positions by their text: .9 comes after .10."""
    assert isinstance(judge(page("a", cursor="1725349500000.9"), Ask("1725349500000.10")), Page)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Answer(error="refused"), PageTrouble.NO_ANSWER),
        (Answer(500), PageTrouble.SERVER_ERROR),
        (Answer(503, retry_after=3.0), PageTrouble.SERVER_ERROR),
        (Answer(429), PageTrouble.BUSY),
        (Answer(401), PageTrouble.DENIED),
        (Answer(403), PageTrouble.DENIED),
        (Answer(404), PageTrouble.UNEXPECTED),
        (Answer(301), PageTrouble.UNEXPECTED),
        (Answer(200), PageTrouble.BAD_ANSWER),
        (Answer(200, []), PageTrouble.BAD_ANSWER),
        (Answer(200, {"facts": 5, "cursor": NEXT}), PageTrouble.BAD_ANSWER),
        (Answer(200, {"cursor": NEXT}), PageTrouble.BAD_ANSWER),
        (page("a", cursor=5), PageTrouble.BAD_ANSWER),
        (page("a", cursor="1725349400000.0"), PageTrouble.WENT_BACK),
        (page("a", cursor=None), PageTrouble.WENT_BACK),
        (page(cursor="1725349400000.0", has_more=False), PageTrouble.WENT_BACK),
        (page("a", cursor=HERE), PageTrouble.STANDS_STILL),
        (page("x", "y"), PageTrouble.REPEATED),
        (page(*"abcdef"), PageTrouble.BAD_ANSWER),
    ],
)
def test_answers_that_are_no_page(answer: Answer, trouble: PageTrouble) -> None:
    """Each way in which a peer can misbehave has a name of its own."""
    problem = judge(answer, Ask(HERE, limit=5, last_page=["x", "y"]))
    assert isinstance(problem, PageProblem)
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


@pytest.mark.parametrize("position", ["1725349400000.0", None])
def test_where_it_went_back_to(position: str | None) -> None:
    """A peer that goes back is told with the position that it gave."""
    problem = judge(page("a", cursor=position), Ask(HERE))
    assert problem == PageProblem(PageTrouble.WENT_BACK, position or "none")


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        *(
            (status, PageTrouble.UNEXPECTED)
            for status in (0, 199, 201, 400, 402, 404, 428, 430, 499)
        ),
        *((status, PageTrouble.DENIED) for status in (401, 403)),
        (429, PageTrouble.BUSY),
        *((status, PageTrouble.SERVER_ERROR) for status in (500, 501, 599)),
    ],
)
def test_every_status_but_one(status: int, trouble: PageTrouble) -> None:
    """A status from 500 on may end by itself, and a busy peer's; every one is named."""
    document = {"facts": [], "cursor": HERE}
    assert judge(Answer(status, document), Ask(HERE)) == PageProblem(trouble, str(status))


def rejected(*causes: Cause) -> list[UnstoredFact]:
    """Return facts that were rejected for these causes."""
    return [UnstoredFact(f"f{number}", "why", cause) for number, cause in enumerate(causes)]


def test_facts_that_cannot_be_verified_now() -> None:
    """Only a page of which the node can verify no fact is left unread."""
    two = Page(["f0", "f1"], NEXT, has_more=True)
    unknown = Cause.PEER_UNKNOWN
    assert unverifiable(two, rejected(unknown, unknown))
    assert unverifiable(replace(two, fact_ids=["f0"]), rejected(unknown))
    assert not unverifiable(two, rejected(unknown))
    assert not unverifiable(two, rejected(unknown, unknown, unknown))
    assert not unverifiable(replace(two, fact_ids=[]), [])
    for other in set(Cause) - {unknown}:
        assert not unverifiable(two, rejected(unknown, other))
        assert not unverifiable(two, rejected(other, other))


@pytest.mark.parametrize(
    ("causes", "first"),
    [
        ([], None),
        ([Cause.FOR_GOOD], None),
        ([Cause.FOR_GOOD, Cause.ORIGIN_UNKNOWN], 1),
        ([Cause.PEER_UNKNOWN, Cause.ORIGIN_UNKNOWN], 0),
        ([Cause.FOR_GOOD, Cause.RELAY_NOT_TRUSTED], 1),
    ],
)
def test_facts_that_can_be_mended(causes: list[Cause], first: int | None) -> None:
    """The first fact that is rejected for now, not for what it is, is found among the rejected."""
    found = rejected(*causes)
    assert can_be_mended(found) == (None if first is None else found[first])
