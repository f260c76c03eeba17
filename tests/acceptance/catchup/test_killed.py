"""Catching up ended at any moment: killed, told to end, or by a disk that fails.

The position is never ahead of the facts, and a second run goes on where the first one stopped.
"""

import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from tests.federation import Federation, without_seconds
from tests.hostile_peer import Ask, HostilePeer, Reply
from tests.running import BIN, NEEDS_STRACE, take_interrupts
from tests.served import Served, serving

pytestmark = [NEEDS_STRACE, pytest.mark.long]

WRITES = "pwrite64,fdatasync,ftruncate,unlink"
FEW = 4
INTERRUPTED = "catch-up interrupted: 0 of 1 peer(s) caught up, {} fact(s) fetched, 0 already held"


class Point(NamedTuple):
    """The n-th call of one system call in a run."""

    call: str
    number: int


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two nodes; the second has four facts and gives two in a page."""
    with serving(tmp_path_factory.mktemp("nodes"), FEW, page_size=2) as served:
        yield served


def traced(nodes: Federation, *inject: str) -> "subprocess.CompletedProcess[str]":
    """Run the command for node a, which has lost everything, under strace."""
    nodes.lose()
    log = nodes.a.directory / "strace.log"
    return subprocess.run(
        [
            *("strace", "-f", "-y", "-o", str(log), "-e", f"trace={WRITES}", *inject),
            *(str(BIN / "stigmem-cursor"), "catchup"),
        ],
        cwd=nodes.a.directory,
        env=nodes.a.environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=take_interrupts,
    )


@pytest.fixture(scope="module")
def writes(served: Served) -> list[Point]:
    """Every system call that writes to the database or its log, in a run unharmed."""
    nodes = served.nodes
    assert traced(nodes).returncode == 0
    seen: Counter[str] = Counter()
    found = []
    for line in (nodes.a.directory / "strace.log").read_text().splitlines():
        call = re.match(r"\d+ +(\w+)\(", line)
        if call is not None:
            seen[call[1]] += 1
            if re.search(r"stigmem\.db(-wal)?[>\"]", line):
                found.append(Point(call[1], seen[call[1]]))
    assert len(found) >= 30
    return found


def goes_on(nodes: Federation) -> None:
    """Check that a second run brings all that is missing, and nothing twice."""
    held = nodes.check_position()
    (peer,) = nodes.document()["peers"]
    assert peer["caught_up"]
    assert peer["facts_fetched"] == FEW - held
    assert nodes.check_position() == FEW


@pytest.mark.slow
def test_killed_at_every_write(nodes: Federation, writes: list[Point]) -> None:
    """Killed at any system call that writes, a page is there with its position or not at all."""
    held = set()
    for point in writes:
        finished = traced(nodes, "-e", f"inject={point.call}:signal=KILL:when={point.number}")
        assert finished.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), point
        assert nodes.a.query("PRAGMA integrity_check") == [("ok",)], point
        held.add(nodes.check_position())
        if point.number % 10 == 0:
            goes_on(nodes)
    assert held == {0, 2, 4}


@pytest.mark.slow
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_disk_that_fails(nodes: Federation, writes: list[Point], call: str, error: str) -> None:
    """When the disk fails: exit 1, one line that names it, and nothing but whole pages."""
    points = [point for point in writes if point.call == call]
    failed = 0
    for point in points[:: max(1, len(points) // 4)]:
        finished = traced(nodes, "-e", f"inject={call}:error={error}:when={point.number}+")
        assert nodes.a.query("PRAGMA integrity_check") == [("ok",)], point
        nodes.check_position()
        if finished.returncode != 0:
            assert finished.returncode == 1, point
            *_, line = finished.stderr.splitlines()
            assert re.fullmatch(
                rf"error: {nodes.a.database}: OperationalError: (disk I/O error|database or disk "
                "is full); the pages before it are stored; run this again to go on",
                line,
            )
            failed += 1
    assert failed
    goes_on(nodes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sign", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_told_to_end_while_storing(
    nodes: Federation, writes: list[Point], sign: signal.Signals, status: int
) -> None:
    """A signal in the middle of a page ends the command after it, with the state said."""
    # The first call in the log beyond what opening it writes belongs to the first page.
    first = next(point for point in writes if point.call == "fdatasync")
    name = sign.name.removeprefix("SIG")
    finished = traced(nodes, "-e", f"inject=fdatasync:signal={name}:when={first.number}")
    assert finished.returncode == status
    assert without_seconds(finished.stderr).splitlines()[-1] == (
        f"{INTERRUPTED.format(2)}, in N s; run it again to go on"
    )
    assert nodes.check_position() == 2
    goes_on(nodes)


@pytest.mark.parametrize(
    ("sign", "status"),
    [
        pytest.param(signal.SIGINT, 130, id="INT", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, 143, id="TERM"),
    ],
)
def test_told_to_end_while_waiting(
    nodes: Federation, hostile: HostilePeer, sign: signal.Signals, status: int
) -> None:
    """A signal while the peer has not answered ends the command at once, however often it comes."""
    asked, over = threading.Event(), threading.Event()

    def silent(_number: int, _query: Mapping[str, str], _ask: Ask) -> Reply:
        asked.set()
        over.wait(60)
        return Reply(500)

    hostile.behave = silent
    process = subprocess.Popen(
        [BIN / "stigmem-cursor", "catchup"],
        cwd=nodes.a.directory,
        env=nodes.a.environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=take_interrupts,  # noqa: PLW1509  nothing in it waits for a lock
    )
    assert asked.wait(60)
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(sign)
        time.sleep(0.01)
    _, said = process.communicate(timeout=30)
    over.set()
    assert process.returncode == status
    assert without_seconds(said).splitlines()[1:] == [
        f"{INTERRUPTED.format(0)}, in N s; run it again to go on"
    ]
    assert nodes.check_position() == 0
