"""How long it takes to fetch facts again."""

import pytest

from stigmem_cursor_plugin.core.cost import Repull


@pytest.mark.parametrize(
    ("facts", "pages", "seconds", "catch_up"),
    [
        (0, 0, 0, 0),
        (1, 1, 30, 1),
        (100, 1, 30, 1),
        (101, 2, 60, 1),
        (801, 9, 270, 2),
        (500_000, 5_000, 150_000, 625),
        (500_001, 5_001, 150_030, 626),
    ],
)
def test_cost_of_fetching_again(facts: int, pages: int, seconds: int, catch_up: int) -> None:
    """The loop takes a page of 100 at each interval; catch-up takes 800 facts a second."""
    cost = Repull(facts, 30)
    assert (cost.pages, cost.seconds, cost.catch_up_seconds) == (pages, seconds, catch_up)
