"""How quickly cursor-catchup fetches, beside the host's own loop and two floors, on real nodes.

Usage: python -m benchmarks.catchup [FACTS ...]    default: 2000 20000

Writes benchmarks/catchup.md and catchup.json; what they hold of other numbers of facts stays.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.catchup_results import AFTER_ANALYZE, CATCH_UP, INSERT, LOOP, SERVE, Run, keep
from benchmarks.measure import once
from tools.loopback import BIN, Node, running

SIZES = (2_000, 20_000)
MANY_PEERS = 4
COMPARED_UP_TO = 20_000
"""Facts up to which all is measured; the host's loop takes over an hour for 500,000."""
FLOORS = Path(__file__).with_name("floors.py")
BEGUN = time.monotonic()


def main() -> None:
    """Measure each number of facts; print the page and write it."""
    for size in [int(word) for word in sys.argv[1:]] or SIZES:
        runs = list(_all_new_and_all_held(size))
        if size <= COMPARED_UP_TO:
            runs += _from_many_peers(size)
        page = keep(runs)
        _say("written")
    print(page)


def _all_new_and_all_held(size: int) -> Iterator[Run]:
    with _bench(size, peers=1) as bench:
        if size <= COMPARED_UP_TO:
            yield bench.run(LOOP, bench.loop)
            bench.lose_positions()
            yield bench.run(LOOP, bench.loop, held=True)
        bench.lose_everything()
        yield bench.run(CATCH_UP, bench.catch_up)
        if size <= COMPARED_UP_TO:
            bench.lose_positions()
            yield bench.run(CATCH_UP, bench.catch_up, held=True)
        yield bench.run(SERVE, bench.serve)
        bench.lose_everything()
        yield bench.run(INSERT, bench.insert)
        bench.analyze_peers()
        bench.lose_everything()
        yield bench.run(CATCH_UP + AFTER_ANALYZE, bench.catch_up)
        yield bench.run(SERVE + AFTER_ANALYZE, bench.serve)


def _from_many_peers(size: int) -> Iterator[Run]:
    with _bench(size, MANY_PEERS) as bench:
        yield bench.run(LOOP, bench.loop)
        bench.lose_everything()
        yield bench.run(CATCH_UP, bench.catch_up)


@dataclass(frozen=True)
class Seconds:
    """How long one way took, and the peak memory of the process where that was looked at."""

    seconds: float
    mebibytes: float | None = None


class Bench:
    """A stopped node that has lost everything, and peers that serve *size* facts in all."""

    def __init__(self, a: Node, peers: Sequence[Node], size: int) -> None:
        """Give each peer its part of the facts; keep the node as it is before it has any."""
        self._a, self._peers, self._size = a, peers, size
        self._lost, self._full = a.directory / "lost.db", a.directory / "full.db"
        shutil.copy(a.database, self._lost)
        for peer in peers:
            _say(f"{size // len(peers):,} facts are stored at {peer.name}")
            peer.add_facts(_facts(size // len(peers)))

    def lose_everything(self) -> None:
        """Put the database back that has no facts; keep the full one."""
        self._a.database.replace(self._full)
        for suffix in ("-wal", "-shm"):
            Path(f"{self._a.database}{suffix}").unlink(missing_ok=True)
        shutil.copy(self._lost, self._a.database)

    def lose_positions(self) -> None:
        """Keep the facts, and lose how far they go."""
        self._a.query("DELETE FROM replication_cursors")

    def analyze_peers(self) -> None:
        """Have each peer's database count what its indexes hold."""
        for peer in self._peers:
            peer.query("ANALYZE")

    def run(self, way: str, measured: Callable[[], Seconds], *, held: bool = False) -> Run:
        """Fetch everything in one *way*, and check that it did."""
        peers = len(self._peers)
        _say(f"{self._size:,} facts, {peers} peer(s), {'all held' if held else 'all new'}: {way}")
        before = sum(map(_cpu_seconds, self._peers))
        found = measured()
        cpu = sum(map(_cpu_seconds, self._peers)) - before
        rows = self._a.query("SELECT COUNT(*) FROM facts WHERE received_from IS NOT NULL")
        assert rows == [(self._size,)], rows
        return Run(self._size, peers, held, way, found.seconds, cpu, found.mebibytes)

    def loop(self) -> Seconds:
        """Let the host's loop pull without a pause."""
        return Seconds(float(self._a.inside("loop")))

    def catch_up(self) -> Seconds:
        """Run the command, from its start to its end."""
        command = (BIN / "stigmem", "federation", "cursor-catchup")
        sample = once(command, self._a.directory, echo=True, **self._a.environment)
        return Seconds(sample.seconds, sample.mebibytes)

    def serve(self) -> Seconds:
        """Fetch the pages and throw them away."""
        return self._floor("serve")

    def insert(self) -> Seconds:
        """Insert the facts of the full database without a check."""
        return self._floor("insert", str(self._full))

    def _floor(self, *arguments: str) -> Seconds:
        printed = subprocess.check_output(
            (sys.executable, "-P", str(FLOORS), *arguments),
            env=self._a.environment,
            cwd=self._a.directory,
            text=True,
        )
        return Seconds(float(printed))


@contextmanager
def _bench(size: int, peers: int) -> Iterator[Bench]:
    _say(f"{1 + peers} nodes start")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        a = Node("node-a", directory / "a")
        a.settings["STIGMEM_FEDERATION_PULL_INTERVAL_S"] = "3600"
        others = [Node(f"peer-{number}", directory / str(number)) for number in range(peers)]
        with running(a, *others):
            for peer in others:
                a.add_peer(peer)
                peer.add_peer(a)
            a.stop()
            yield Bench(a, others, size)


def _facts(number: int) -> Iterator[dict[str, object]]:
    """Return facts that were asserted one a millisecond, until now."""
    first = int(time.time() * 1000) - number
    for fact in range(number):
        yield {
            "entity": f"demo:subject-{fact}",
            "value_v": f"what is known about subject {fact}",
            "hlc": f"{first + fact}.0",
        }


def _cpu_seconds(node: Node) -> float:
    # Linux; field 14 and 15 of proc_pid_stat(5), counted after the name in brackets.
    fields = Path(f"/proc/{node.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _say(text: str) -> None:
    print(f"{time.monotonic() - BEGUN:5.0f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
