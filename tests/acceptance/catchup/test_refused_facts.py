"""Facts that the node raises an error on, and facts that its rules pass over, on real nodes."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.federation import PAGE, Federation, some, without_seconds
from tests.served import Served, serving

pytestmark = pytest.mark.slow

FUTURE = f"{int(time.time() * 1000) + 3_600_000}.0"
"""An hour ahead: a node takes facts that are up to five minutes ahead (0.9.0a12)."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two nodes: 28 facts, one with a clock in the future, one with a bad id, one old."""
    with serving(tmp_path_factory.mktemp("nodes"), 0, PAGE) as served:
        old = f"{int(time.time() * 1000) - 90 * 86_400_000}.0"
        served.nodes.b.add_facts(
            [
                {"entity": "demo:old", "value_v": "x", "hlc": old},
                *some(14, "before"),
                {"entity": "demo:bad", "value_v": "x", "cid": "sha256:0", "id": "bad"},
                *some(14, "after"),
                {"entity": "demo:future", "value_v": "x", "hlc": FUTURE, "id": "future"},
            ],
        )
        yield served


SKEW = (
    "FederationHlcSkewError: remote HLC skew outside configured bound (fact_id=future, "
    "sender=stigmem://node-b, direction=future)"
)
BAD = (
    "Rejected federated fact bad from stigmem://node-b: cid_mismatch; IntegrityError: CHECK "
    "constraint failed: event_type IN ("
)
"""The host wants to note the event and its own table refuses the name of it (0.9.0a12)."""


def test_stops_at_the_fact(nodes: Federation) -> None:
    """The peer stops right before the fact, which is named with the reason."""
    finished = nodes.catch_up()
    assert finished.returncode == 3
    assert without_seconds(finished.stderr).splitlines()[1:] == [
        f"warning: peer stigmem://node-b: not caught up: stopped at fact bad: {BAD}; "
        "--skip-refused goes on past it",
        "catch-up incomplete: 0 of 1 peer(s) caught up, 15 fact(s) fetched, 0 already held, in N s",
    ]
    assert len(nodes.a.facts_from(nodes.b)) == 15
    before = nodes.b.query("SELECT MAX(hlc) FROM facts WHERE entity = 'demo:before-13'")
    assert nodes.a.cursor(nodes.b) == before[0][0]


def test_skipping_what_is_refused(nodes: Federation) -> None:
    """With --skip-refused each fact is listed, the position goes past it, and all is done."""
    finished = nodes.catch_up("--skip-refused")
    assert finished.returncode == 0
    assert without_seconds(finished.stderr).splitlines()[2:] == [
        f"warning: peer stigmem://node-b: fact bad refused: {BAD}",
        f"warning: peer stigmem://node-b: fact future refused: {SKEW}",
        "catch-up complete: 1 peer(s), 29 fact(s) fetched, 0 already held, 2 passed over, in N s",
    ]
    assert nodes.a.cursor(nodes.b) == FUTURE
    assert nodes.a.facts_from(nodes.b) == nodes.b.own_facts() - {"bad", "future"}


def test_audit_entry_outlasts_the_rollback(nodes: Federation) -> None:
    """What the node writes about a fact that it refuses is there once, and outlasts the page."""
    nodes.catch_up("--skip-refused")
    written = nodes.a.query(
        "SELECT event_type, fact_id FROM fact_audit_log WHERE source = 'stigmem://node-b'"
        " ORDER BY event_type"
    )
    assert written == [("federation_integrity_rejected", "bad"), ("peer_hlc_anomaly", "future")]


def test_going_on_after_a_stop(nodes: Federation) -> None:
    """A run that stopped at a fact can be gone on with, past that fact."""
    nodes.catch_up()
    document = nodes.document("--skip-refused", nodes.b.node_id)
    (peer,) = document["peers"]
    assert (peer["facts_fetched"], peer["facts_held"], peer["caught_up"]) == (14, 0, True)
    assert [fact["fact_id"] for fact in peer["refused"]] == ["bad", "future"]


def test_longer_valid_until(nodes: Federation) -> None:
    """A fact held with an end and offered without one is named, in the middle of a page."""
    nodes.catch_up("--skip-refused")
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    ((held,),) = nodes.b.query("SELECT id FROM facts WHERE entity = 'demo:before-10'")
    for (trigger,) in nodes.a.query(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'facts'"
    ):
        nodes.a.query(f"DROP TRIGGER {trigger}")
    nodes.a.query("UPDATE facts SET valid_until = ? WHERE id = ?", [soon, held])
    nodes.a.query("DELETE FROM replication_cursors")
    finished = nodes.catch_up()
    assert finished.returncode == 3
    assert (
        f"stopped at fact {held}: FederationValidUntilExtensionError: federation ingest "
        "rejected: incoming valid_until (None) extends stored" in finished.stderr
    )
    before = nodes.b.query("SELECT MAX(hlc) FROM facts WHERE entity = 'demo:before-9'")
    assert nodes.a.cursor(nodes.b) == before[0][0]


def test_many_refused_facts(nodes: Federation) -> None:
    """Where a run of facts is refused, each is listed and all others are stored."""
    nodes.b.add_facts(
        [
            {"entity": f"demo:instruction-{n}", "value_v": "x", "interpret_as": "instruction"}
            for n in range(20)
        ],
    )
    (peer,) = nodes.document("--skip-refused")["peers"]
    instructions = [f for f in peer["refused"] if "quarantine_garden_required" in f["reason"]]
    assert len(instructions) == 20
    assert peer["facts_fetched"] == 29
    assert peer["caught_up"]
