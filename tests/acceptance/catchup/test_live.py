"""Beside a running node: its writes go through, every fact arrives, its position is the newest."""

import threading
import time
from pathlib import Path

import pytest

from tests.federation import Federation, federation
from tools.loopback import wait_for
from tools.stories import newest

FACTS = 1500
WRITES_A_SECOND = 25


class Writer(threading.Thread):
    """Writes facts at a node, so many a second, until it is told to stop."""

    def __init__(self, nodes: Federation) -> None:
        """Take the nodes; the first one is written to."""
        super().__init__()
        self._nodes = nodes
        self._over = threading.Event()
        self.seconds: list[float] = []
        self.failures: list[str] = []
        self.rate = 0.0

    def run(self) -> None:
        """Write, and note how long each write took."""
        first = time.monotonic()
        while not self._over.is_set():
            number = len(self.seconds)
            began = time.monotonic()
            try:
                self._nodes.a.post_facts([f"local-{number}"])
            except Exception as error:  # noqa: BLE001  every failure counts
                self.failures.append(repr(error))
            ended = time.monotonic()
            self.seconds.append(ended - began)
            self.rate = len(self.seconds) / (ended - first)
            self._over.wait(max(0.0, first + len(self.seconds) / WRITES_A_SECOND - ended))

    def stop(self) -> None:
        """Stop after the write in hand."""
        self._over.set()
        self.join()

    def __str__(self) -> str:
        """Return how many writes there were, and how long the slowest took."""
        return (
            f"{len(self.seconds)} writes, {self.rate:.0f} a second; "
            f"the slowest took {max(self.seconds):.2f} s"
        )


@pytest.mark.slow
def test_beside_a_node_that_writes(tmp_path: Path) -> None:
    """A node that pulls and takes writes keeps doing so while everything is fetched beside it."""
    with federation(tmp_path, FACTS, STIGMEM_FEDERATION_PULL_INTERVAL_S="1") as nodes:
        nodes.a.start()
        writer = Writer(nodes)
        writer.start()
        try:
            finished = nodes.catch_up("--live")
        finally:
            writer.stop()
        print(f"{writer}; {finished.stderr.splitlines()[-1]}")
        assert finished.returncode == 0, finished.stderr
        assert writer.failures == []
        assert len(writer.seconds) > 20
        assert max(writer.seconds) < 10
        assert nodes.check_position() == FACTS
        # Not at once on a machine that is busy: a pull of the node's own may still be under way.
        wait_for("the newest position", lambda: nodes.a.cursor(nodes.b) == newest(nodes.b))
