"""Names cut to a width, and durations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmem_cursor_plugin.core.cost import Repull
from stigmem_cursor_plugin.reports.formatting import (
    apart,
    cut_to_width,
    duration,
    table,
)

REAL = [f"stigmem://node-{n}.eu-west-1.federation.example.org" for n in range(12)]


@pytest.mark.parametrize("width", [8, 9, 12, 20, 40])
def test_real_node_ids_can_be_told_apart(width: int) -> None:
    """Node ids that differ in one place stay different, whatever room there is."""
    cut = cut_to_width(REAL, width)
    assert len(set(cut.values())) == len(REAL)
    assert max(map(len, cut.values())) <= width


def test_the_beginning_of_a_host_name_is_kept() -> None:
    """The scheme goes first, then the end."""
    assert cut_to_width(REAL, 12)[REAL[0]] == "node-0.eu-w…"
    assert cut_to_width([REAL[0]], 200) == {REAL[0]: REAL[0]}


def test_the_end_is_kept_where_it_tells_more() -> None:
    """Names that differ at their ends keep both ends."""
    names = [f"stigmem://federation.example.org/{name}" for name in ("one", "two")]
    assert cut_to_width(names, 10) == {names[0]: "feder…/one", names[1]: "feder…/two"}


@given(
    st.lists(st.text(st.characters(codec="ascii"), max_size=40), min_size=1, max_size=8),
    st.integers(1, 30),
)
def test_different_names_stay_different(names: list[str], width: int) -> None:
    """No two names are cut to the same text."""
    cut = cut_to_width(names, width)
    assert cut.keys() == set(names)
    assert len(set(cut.values())) == len(set(names))


@given(
    st.lists(st.text(st.characters(codec="ascii", categories=["L"]), max_size=40), max_size=5),
    st.integers(1, 80),
)
def test_a_table_is_cut_only_where_that_helps(names: list[str], width: int) -> None:
    """No line is longer than the width where a name has room; else every name stays whole."""
    rows = [("PEER", "POSITION"), *((name, "2024-09-03T07:45:00Z") for name in names)]
    found = table(rows, width)
    assert found[0].split() == ["PEER", "POSITION"]
    whole = all(line.startswith(name) for line, name in zip(found[1:], names, strict=True))
    assert whole or max(map(len, found)) <= width


def test_different_positions_never_look_alike() -> None:
    """Times tell two positions apart, and their texts where both lie within one second."""
    assert apart("1725349500000.0", None) == ("2024-09-03T07:45:00Z", "none")
    assert apart("1725349500000.2", "1725349500000.10") == ("1725349500000.2", "1725349500000.10")


@pytest.mark.parametrize(
    ("facts", "interval", "loop", "catch_up"),
    [
        (500_000, 10, "14 h", "10 min"),
        (500_000, 30, "42 h", "10 min"),
        (3, 30, "30 s", "1 s"),
        (0, 30, "0 s", "0 s"),
    ],
)
def test_cost_of_fetching_again(facts: int, interval: int, loop: str, catch_up: str) -> None:
    """A page each interval by the loop; by catch-up as measured."""
    cost = Repull(facts, interval)
    assert duration(cost.seconds) == loop
    assert duration(cost.catch_up_seconds) == catch_up
