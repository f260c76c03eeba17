"""Two real nodes and 1,200 facts, two full pages and a part of one."""

import random
import subprocess
import time
from collections.abc import Iterator

import pytest

from stigmem_cursor_plugin.reports.formatting import shown
from tests.federation import ANY_AGE, Federation, without_seconds
from tests.hostile_peer import HostilePeer
from tests.running import BIN
from tests.served import Served, serving

pytestmark = [pytest.mark.long, pytest.mark.slow]

FACTS = 1200


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two nodes; the second gives pages of any size."""
    with serving(tmp_path_factory.mktemp("nodes"), FACTS) as served:
        yield served


def test_everything_is_fetched(nodes: Federation, hostile: HostilePeer) -> None:
    """After a loss every fact of the peer is fetched, in pages of 500, each asked for once."""
    finished = nodes.catch_up()
    newest = nodes.b.query("SELECT MAX(hlc) FROM facts WHERE received_from IS NULL")[0][0]
    assert finished.returncode == 0
    assert finished.stdout == ""
    assert without_seconds(finished.stderr) == (
        f"{ANY_AGE}"
        f"info: peer stigmem://node-b: caught up to {shown(newest)}, "
        "1,200 fact(s) fetched, 0 already held\n"
        "catch-up complete: 1 peer(s), 1,200 fact(s) fetched, 0 already held, in N s\n"
    )
    assert nodes.check_position() == FACTS
    assert nodes.a.cursor(nodes.b) == newest
    three_pages(hostile)


def three_pages(hostile: HostilePeer) -> None:
    """Check that three pages of 500 were asked for, each once."""
    assert [query["limit"] for query in hostile.requests] == ["500"] * 3
    assert len({query.get("cursor") for query in hostile.requests}) == 3


def test_pause(nodes: Federation, hostile: HostilePeer) -> None:
    """With --pause the same pages are asked for."""
    assert nodes.catch_up("--pause", "0.1").returncode == 0
    three_pages(hostile)


def test_killed_at_random(nodes: Federation) -> None:
    """Killed again and again, every run goes on; at the end nothing is missing or twice."""
    pauses = random.Random(14)  # noqa: S311  not for secrets
    held = 0
    for _ in range(5):
        process = subprocess.Popen(
            [BIN / "stigmem-cursor", "catchup"],
            cwd=nodes.a.directory,
            env=nodes.a.environment,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(pauses.uniform(1, 4))
        process.kill()
        process.wait(60)
        assert nodes.check_position() >= held
        held = nodes.check_position()
    assert nodes.catch_up().returncode == 0
    assert nodes.check_position() == FACTS
