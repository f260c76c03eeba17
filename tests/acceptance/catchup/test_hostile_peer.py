"""Peers that misbehave: a clear line, no endless loop, and the other peers go on."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.federation import FACTS, PAGE, Federation, without_seconds
from tests.hostile_peer import Ask, HostilePeer, Reply

pytestmark = pytest.mark.long

GONE = "if it is gone for good, set its status to revoked in the table peers"
OPERATOR = f"ask its operator, then run this again; {GONE}"
# What each answers always, and what is said of it.
WAYS: Mapping[str, tuple[Reply, str]] = {
    "500": (Reply(500), f"it answered 500 in 5 attempts; {OPERATOR}"),
    "401": (
        Reply(401, b'{"detail": "token"}'),
        "it refused this node (401); check that the peer has this node registered and active, "
        "with its present key",
    ),
    "404": (
        Reply(404),
        f"it answered 404 to a request for facts; check that the peer's node_url is right; {GONE}",
    ),
    "busy": (
        Reply(429, headers={"Retry-After": "900"}),
        "it is too busy (429); run this again in 900 s, with --pause",
    ),
    "html": (
        Reply(200, b"<html>"),
        f"its answer is not a page of facts (5 attempts); {OPERATOR}",
    ),
    "nested": (
        Reply(200, b"[" * 100_000),
        f"its answer is not a page of facts (5 attempts); {OPERATOR}",
    ),
    "list": (Reply(200, b"[]"), f"its answer is not a page of facts (5 attempts); {OPERATOR}"),
    "cut": (
        Reply(200, b'{"facts": [], "has_more": false, "cursor": null}', sent=20),
        "no answer in 5 attempts: it was cut short (peer closed connection without sending "
        "complete message body (received 20 bytes, expected 48)); check that the peer is "
        f"running, then run this again; {GONE}",
    ),
    "old": (
        Reply(200, b'{"facts": [], "has_more": false, "cursor": null, "v": 1}'),
        "this node's rules forbid its answer: Pull from stigmem://hostile-old returned non-v2 "
        "envelope (v=1); dropping page",
    ),
    "still": (
        Reply(200, b'{"facts": [], "has_more": true, "cursor": null, "v": 2}'),
        "it says that it has more facts, but gives no position after none; ask its operator",
    ),
    "garbage": (
        Reply(200, json.dumps({"facts": [5, None, {}], "cursor": "1.0", "v": 2}).encode()),
        "",
    ),
}


def add_hostile_peers(nodes: Federation, url: str) -> None:
    """Register a peer for each way to misbehave, told apart by the path of its address."""
    columns = [row[1] for row in nodes.a.query("PRAGMA table_info(peers)")]
    own = {"id": "'hostile-' || ?", "node_id": "'stigmem://hostile-' || ?", "node_url": "?"}
    values = ", ".join(own.get(column, column) for column in columns)
    for way in WAYS:
        nodes.a.query(
            f"INSERT INTO peers ({', '.join(columns)}) SELECT {values} FROM peers"
            " WHERE node_id = 'stigmem://node-b'",
            [way, way, f"{url}/{way}"],
        )


def test_every_way_to_misbehave(nodes: Federation, hostile: HostilePeer) -> None:
    """Each hostile peer is named with what it does; the honest one gives all its facts."""
    nodes.a.query("UPDATE peers SET node_url = ?", [nodes.b.url])
    add_hostile_peers(nodes, hostile.url)
    hostile.behave = lambda number, _query, _ask: WAYS[hostile.paths[number - 1].split("/")[1]][0]
    finished = nodes.catch_up()
    assert finished.returncode == 3
    lines = without_seconds(finished.stderr).splitlines()
    said = [
        f"warning: peer stigmem://hostile-{w}: not caught up: {t}" for w, (_, t) in WAYS.items()
    ]
    expected = {line for line in said if not line.endswith(": ")}
    assert {line for line in lines if "not caught up" in line} == expected
    assert lines[-1] == (
        "catch-up incomplete: 2 of 12 peer(s) caught up, 24 fact(s) fetched, 0 already held, "
        "3 rejected, in N s"
    )
    assert nodes.check_position() == FACTS
    # Those that may get better were tried five times, the others once.
    tries = {way: len([p for p in hostile.paths if f"/{way}/" in p]) for way in WAYS}
    assert tries == {
        way: 5 if way in ("500", "html", "nested", "list", "cut") else 1 for way in WAYS
    }


def test_position_that_is_set_back_meanwhile(nodes: Federation, hostile: HostilePeer) -> None:
    """If an import empties the position while catch-up runs, catch-up does not set it again."""

    def emptied(number: int, _query: Mapping[str, str], ask: Ask) -> Reply:
        if number == 3:
            nodes.a.query("UPDATE replication_cursors SET cursor = NULL")
        return ask()

    hostile.behave = emptied
    stopped = nodes.catch_up()
    assert stopped.returncode == 3
    assert "another program set its position back to none; run this again to" in stopped.stderr
    assert nodes.a.cursor(nodes.b) is None
    assert nodes.catch_up().returncode == 0
    assert nodes.check_position() == FACTS


PASSES = {
    2: Reply(500),
    3: Reply(200, b"no JSON"),
    5: Reply(429, headers={"Retry-After": "1"}),
    6: Reply(503, headers={"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}),
}
"""What is answered to these requests; to the others the three pages."""


def test_trouble_that_passes(nodes: Federation, hostile: HostilePeer) -> None:
    """A peer that misbehaves in between, in several ways, is asked again, and gives all."""
    hostile.behave = lambda number, _query, ask: PASSES.get(number) or ask()
    finished = nodes.catch_up()
    assert finished.returncode == 0, finished.stderr
    assert len(hostile.requests) == 7
    assert nodes.check_position() == FACTS


def test_fact_that_the_node_refuses(nodes: Federation, hostile: HostilePeer) -> None:
    """Catch-up stops right before a fact whose clock is ahead; --skip-refused goes past it."""
    ahead = f"{int(time.time() * 1000) + 3_600_000}.0"
    offered = "SELECT id FROM facts WHERE entity LIKE 'demo:%' ORDER BY hlc LIMIT 1 OFFSET ?"
    ((refused,),) = nodes.b.query(offered, [PAGE + 3])

    def advance(_number: int, _query: Mapping[str, str], ask: Ask) -> Reply:
        honest = ask()
        facts = honest.page["facts"]
        for entry in facts:
            if entry["fact"]["id"] == refused:
                entry["fact"]["hlc"] = ahead
        return honest.with_page(facts=facts)

    hostile.behave = advance
    stopped = nodes.catch_up()
    assert stopped.returncode == 3
    assert "FederationHlcSkewError: remote HLC skew outside configured bound" in stopped.stderr
    assert nodes.check_position() == PAGE + 3
    (peer,) = nodes.document("--skip-refused")["peers"]
    assert peer["caught_up"]
    assert (peer["facts_fetched"], len(peer["refused"])) == (FACTS - PAGE - 4, 1)


@pytest.mark.slow
def test_killed_in_the_middle_of_an_answer(nodes: Federation, hostile: HostilePeer) -> None:
    """A page that is cut off is not stored, and fetched again."""
    hostile.behave = lambda number, _query, ask: (
        replace(ask(), sent=2000) if number in (1, 3) else ask()
    )
    assert nodes.catch_up().returncode == 0
    assert nodes.check_position() == FACTS


@pytest.mark.slow
def test_page_that_repeats(nodes: Federation, hostile: HostilePeer) -> None:
    """A peer that gives one page again and again, at ever later positions, is left."""
    pages: list[Reply] = []

    def repeat(number: int, _query: Mapping[str, str], ask: Ask) -> Reply:
        pages.append(ask())
        return pages[0].with_page(cursor=f"999999999999{number}.0", has_more=True)

    hostile.behave = repeat
    finished = nodes.catch_up()
    assert finished.returncode == 3
    assert (
        "warning: peer stigmem://node-b: not caught up: it gave the same page twice; ask its "
        "operator\n" in finished.stderr
    )
    assert len(hostile.requests) <= 3


@pytest.mark.slow
def test_position_that_goes_back(nodes: Federation, hostile: HostilePeer) -> None:
    """A peer whose positions go back is left; what it gave before stays."""
    hostile.behave = lambda number, _query, ask: (
        ask().with_page(cursor="1000000000000.0") if number == 2 else ask()
    )
    finished = nodes.catch_up()
    assert finished.returncode == 3
    assert "and answered with an earlier position; ask its operator\n" in finished.stderr
    assert nodes.check_position() == PAGE


@pytest.mark.slow
def test_answer_longer_than_asked_for(nodes: Federation, hostile: HostilePeer) -> None:
    """A page of more facts than asked for is none."""
    hostile.behave = lambda _number, _query, ask: ask().with_page(facts=[{}] * 501)
    finished = nodes.catch_up()
    assert finished.returncode == 3
    assert "is not a page of facts" in finished.stderr
    assert nodes.check_position() == 0


@pytest.mark.slow
def test_peer_that_is_down(nodes: Federation) -> None:
    """A peer that refuses the connection is tried five times in 15 seconds, then left."""
    nodes.a.query("UPDATE peers SET node_url = 'http://127.0.0.1:1'")
    finished = nodes.catch_up()
    assert finished.returncode == 3
    assert finished.stderr.splitlines()[1] == (
        "warning: peer stigmem://node-b: not caught up: no answer in 5 attempts: All connection "
        f"attempts failed; check that the peer is running, then run this again; {GONE}"
    )


@pytest.mark.slow
def test_facts_that_cannot_be_verified(nodes: Federation) -> None:
    """Where the peer's manifest is missing here, it is left: its facts would be skipped."""
    nodes.a.query("UPDATE peers SET entity_uri = NULL")
    finished = nodes.catch_up()
    assert finished.returncode == 3
    assert finished.stderr.splitlines()[1].startswith(
        "warning: peer stigmem://node-b: not caught up: this node cannot verify the peer's facts: "
    )
    assert nodes.a.cursor(nodes.b) is None


def test_facts_that_the_rules_reject(nodes: Federation, hostile: HostilePeer) -> None:
    """Facts with a forged signature are counted and the first ten named; the others are stored."""

    def forge(_number: int, _query: Mapping[str, str], ask: Ask) -> Reply:
        honest = ask()
        facts = honest.page["facts"]
        for entry in facts[:7]:
            entry["origin_sig"] = facts[-1]["origin_sig"]
        return honest.with_page(facts=facts)

    hostile.behave = forge
    finished = nodes.catch_up()
    assert finished.returncode == 0
    lines = without_seconds(finished.stderr).splitlines()
    rejected = [line for line in lines if " rejected: " in line]
    assert len(rejected) == 10
    assert "skip fact (origin_sig_invalid)" in rejected[0]
    assert "warning: … and 7 more like these" in lines
    assert lines[-1] == (
        "catch-up complete: 1 peer(s), 7 fact(s) fetched, 0 already held, 17 rejected, in N s"
    )


@pytest.mark.slow
def test_peer_revoked_half_way(nodes: Federation, hostile: HostilePeer) -> None:
    """A peer that is revoked meanwhile is left, with what came before it."""

    def revoke(number: int, _query: Mapping[str, str], ask: Ask) -> Reply:
        if number == 2:
            nodes.a.query("UPDATE peers SET status = 'revoked'")
        return ask()

    hostile.behave = revoke
    finished = nodes.catch_up("--pause", "0.1")
    assert finished.returncode == 3
    assert (
        "warning: peer stigmem://node-b: not caught up: it is revoked now; the node does not pull "
        "from it\n" in finished.stderr
    )
    assert nodes.check_position() == PAGE
    assert len(hostile.requests) == 2
