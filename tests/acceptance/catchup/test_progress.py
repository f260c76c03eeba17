"""What a person sees while facts are fetched: a bar for the peer, on a terminal of any width."""

import threading
from collections.abc import Mapping

import pytest

from stigmem_cursor_plugin.reports.formatting import shown
from tests.federation import FACTS, PAGE, Federation
from tests.hostile_peer import Ask, HostilePeer, Reply
from tests.running import BIN, on_terminal, without_codes

pytestmark = pytest.mark.slow


def on_a_terminal(nodes: Federation, hostile: HostilePeer, columns: int, wanted: str) -> str:
    """Return what is shown up to *wanted*; the third page comes once that is there."""
    seen = threading.Event()

    def wait(number: int, _query: Mapping[str, str], ask: Ask) -> Reply:
        if number == 3:
            seen.wait(60)
        return ask()

    def enough(text: str) -> bool:
        if wanted in without_codes(text):
            seen.set()
        return "catch-up complete" in text

    hostile.behave = wait
    try:
        return on_terminal(
            [BIN / "stigmem-cursor", "catchup"],
            nodes.a.directory,
            enough=enough,
            variables={**nodes.a.environment, "COLUMNS": ""},
            columns=columns,
        )
    finally:
        seen.set()


def test_bar(nodes: Federation, hostile: HostilePeer) -> None:
    """The bar names the peer, the facts, how many a second, and the date that is reached."""
    clocks = nodes.b.query("SELECT hlc FROM facts WHERE entity LIKE 'demo:%' ORDER BY hlc")
    reached = shown(clocks[2 * PAGE - 1][0])
    screen = on_a_terminal(nodes, hostile, 120, f"reached {reached}")
    (bar,) = [line for line in screen.split("\r") if "20 fact(s), " in line]
    assert bar.startswith("stigmem://node-b: ")
    assert f"/s, reached {reached}" in bar
    assert "catch-up complete: 1 peer(s), 24 fact(s) fetched" in screen
    assert nodes.check_position() == FACTS


def test_bar_on_a_narrow_terminal(nodes: Federation, hostile: HostilePeer) -> None:
    """Where the line is too narrow for the bar, it is cut, and does not wrap."""
    screen = on_a_terminal(nodes, hostile, 20, "stigmem://node-b:")
    bars = [line for line in screen.split("\r") if line.startswith("stigmem:")]
    assert bars
    assert all(len(without_codes(bar)) <= 20 for bar in bars)
    assert "catch-up complete: 1 peer(s), 24 fact(s) fetched" in screen
