"""Others at work on the same database: another run, an import, the node itself."""

import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.federation import FACTS, PAGE, Federation
from tests.hostile_peer import Ask, HostilePeer, Reply
from tests.running import BIN, Finished, run_in

pytestmark = pytest.mark.slow


class Run(subprocess.Popen[str]):
    """``catchup --json`` for node a, running."""

    def __init__(self, nodes: Federation) -> None:
        """Start it."""
        super().__init__(
            [BIN / "stigmem-cursor", "catchup", "--json"],
            cwd=nodes.a.directory,
            env=nodes.a.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def fetched(self) -> int:
        """Wait for its end, which must be a good one; return how many facts were new."""
        stdout, stderr = self.communicate(timeout=120)
        assert self.returncode == 0, stderr
        (peer,) = json.loads(stdout)["peers"]
        assert peer["facts_fetched"] + peer["facts_held"] == FACTS
        return int(peer["facts_fetched"])


@contextmanager
def first_page_stored(nodes: Federation, hostile: HostilePeer) -> Iterator[Run]:
    """Yield a run that has stored a page, and whose peer is silent during the block."""
    asked, over = threading.Event(), threading.Event()

    def silent(number: int, _query: Mapping[str, str], ask: Ask) -> Reply:
        if number == 3:
            asked.set()
            over.wait(60)
        return ask()

    hostile.behave = silent
    run = Run(nodes)
    try:
        assert asked.wait(60)
        yield run
    finally:
        over.set()


def import_checkpoint(nodes: Federation, *arguments: str | Path) -> Finished:
    """Run ``import`` for node a."""
    command = ("stigmem-cursor", "import", *map(str, arguments))
    return run_in(nodes.a.directory, command, environment=nodes.a.environment)


@pytest.fixture
def checkpoint(nodes: Federation, tmp_path: Path) -> Path:
    """A checkpoint of node a when it held all facts, which it has lost since."""
    assert nodes.catch_up().returncode == 0
    command = ("stigmem-cursor", "export", "--out", str(tmp_path / "c.json"))
    assert run_in(nodes.a.directory, command, environment=nodes.a.environment).returncode == 0
    nodes.lose()
    return tmp_path / "c.json"


def check_whole(nodes: Federation) -> None:
    """Check that every fact is there once, and the position is the newest."""
    newest = nodes.b.query("SELECT MAX(hlc) FROM facts WHERE received_from IS NULL")
    assert nodes.check_position() == FACTS
    assert nodes.a.cursor(nodes.b) == newest[0][0]


def test_two_runs_at_once(nodes: Federation, hostile: HostilePeer) -> None:
    """Two runs that begin together both end well; each fact is stored once, by one of them."""
    together = threading.Barrier(2)

    def behave(_number: int, query: Mapping[str, str], ask: Ask) -> Reply:
        if "cursor" not in query:
            together.wait(60)
        return ask()

    hostile.behave = behave
    runs = [Run(nodes), Run(nodes)]
    assert sum(run.fetched() for run in runs) == FACTS
    check_whole(nodes)


def test_import_meanwhile(nodes: Federation, hostile: HostilePeer, checkpoint: Path) -> None:
    """An import into the middle withholds what is not there yet, and nothing is skipped."""
    hostile.reform()
    with first_page_stored(nodes, hostile) as run:
        imported = import_checkpoint(nodes, "--force", checkpoint)
        assert imported.returncode == 3
        assert "1 withheld (facts missing)" in imported.stderr
        nodes.check_position()
    assert run.fetched() == FACTS
    check_whole(nodes)


def test_killed_and_imported(nodes: Federation, hostile: HostilePeer, checkpoint: Path) -> None:
    """An import after a kill leaves the position alone; the next run goes on there."""
    hostile.reform()
    with first_page_stored(nodes, hostile) as run:
        run.kill()
        run.communicate(timeout=60)
    position, held = nodes.a.cursor(nodes.b), nodes.check_position()
    assert held >= PAGE
    imported = import_checkpoint(nodes, checkpoint)
    assert imported.returncode == 0
    assert "1 skipped (already set)" in imported.stderr
    assert nodes.a.cursor(nodes.b) == position
    (peer,) = nodes.document()["peers"]
    assert peer["facts_fetched"] == FACTS - held
    check_whole(nodes)


def test_node_started_meanwhile(nodes: Federation, hostile: HostilePeer) -> None:
    """When someone starts the node, the run ends before the next page, with what it has."""

    def start(number: int, _query: Mapping[str, str], ask: Ask) -> Reply:
        if number == 2:
            nodes.a.start(publish=False)
        return ask()

    hostile.behave = start
    try:
        finished = nodes.catch_up()
    finally:
        nodes.a.stop()
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1] == (
        f"error: node {nodes.a.node_id} is running at 127.0.0.1:{nodes.a.port}; stop the node, "
        "then run this again"
    )
    assert nodes.check_position() == PAGE
    (peer,) = nodes.document()["peers"]
    assert peer["facts_fetched"] == FACTS - PAGE
    check_whole(nodes)
