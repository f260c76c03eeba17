"""Imports beside a node that is busy, and beside whatever else may listen on its port."""

import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import listeners
from tests.builders import DONE, DOUBT, RUNNING, checkpoint, entry
from tests.database import NODE_ID, Database
from tests.running import BIN, CAN_MOUNT, environment_for, run_in
from tools.loopback import Node, free_port, two_nodes, wait_for

IMPORT = ("stigmem", "federation", "cursor-import", "c.json", "--db", "stigmem.db")
CAPTURED: Any = {"capture_output": True, "text": True}
IMPORTS = 50
FACTS = 300
REFUSALS = {
    "node {} is running at 127.0.0.1:{}; stop the node, then run this again": ("it answered"),
    "cannot tell whether the node is running: 127.0.0.1:{1} gave no answer in 10 s; stop the node, "
    "then run this again; if that is not the node, add --assume-stopped": ("it did not answer"),
    "stigmem.db has been locked by another process for more than 5 s; stop the node, "
    "then run this again": "it held the lock",
}


@contextmanager
def catching_up(directory: Path) -> Iterator[tuple[Node, Node]]:
    """Run a node that pulls without a pause from another, and knows a third that is away."""
    with two_nodes(directory, interval="3600") as (a, b):
        b.post_facts(f"fact-{number}" for number in range(FACTS))
        a.stop()
        a.settings["STIGMEM_FEDERATION_PULL_INTERVAL_S"] = "0"
        Database(a.database).add_peer("node-c", status="pending_approval")
        a.start()
        wait_for("the first page", lambda: bool(a.facts_from(b)))
        yield a, b


@pytest.mark.slow
def test_none_passes_beside_a_busy_node(tmp_path: Path) -> None:
    """Of fifty imports beside a node that is catching up, none passes."""
    with catching_up(tmp_path) as (a, b):
        (a.directory / "c.json").write_text(checkpoint(entry("node-c")))

        def attempt(_number: int) -> str:
            # So that there is always something to pull.
            a.query("DELETE FROM replication_cursors")
            finished = run_in(
                a.directory,
                IMPORT,
                environment=a.environment,
            )
            assert finished.returncode == 1
            return finished.stderr

        with ThreadPoolExecutor(3) as executor:
            said = Counter(executor.map(attempt, range(IMPORTS)))
        known = {
            f"error: {text.format(a.node_id, a.port)}\n": why for text, why in REFUSALS.items()
        }
        pulled = sum(b.pulls_served(0))
        print({known[line]: count for line, count in said.items()}, f"{pulled} facts pulled")
        assert sum(said.values()) == IMPORTS
        assert pulled > 3 * FACTS
        assert a.query("SELECT * FROM replication_cursors WHERE peer_id = 'id-of-node-c'") == []


@contextmanager
def started(directory: Path, settings: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run a node that has its settings from ``.env``; yield an environment without any."""
    lines = [f"STIGMEM_{name}={value}" for name, value in settings.items()]
    (directory / ".env").write_text("\n".join(lines))
    environment = environment_for(BIN)
    del environment["STIGMEM_PORT"]
    with (directory / "node.log").open("wb") as log:
        node = subprocess.Popen(
            [BIN / "python", "-m", "stigmem_node.main"],
            cwd=directory,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        log_file = directory / "node.log"
        wait_for("the node to start", lambda: b" running on " in log_file.read_bytes())
        yield environment
    finally:
        node.terminate()
        node.wait()


@pytest.mark.long
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"HOST": "127.0.0.2"}, id="another address", marks=pytest.mark.slow),
        pytest.param({"HOST": "::1"}, id="IPv6", marks=pytest.mark.slow),
        pytest.param({}, id="every address"),
        pytest.param(
            {
                "HOST": "127.0.0.1",
                "TLS_CERT_PATH": "node.pem",
                "TLS_KEY_PATH": "node.pem",
                "TLS_CA_BUNDLE": "node.pem",
            },
            id="client certificate",
        ),
    ],
)
def test_real_node(settings: dict[str, str], ready: Database, tmp_path: Path) -> None:
    """A node that only ``.env`` says where to find is found, until it has stopped."""
    host = settings.get("HOST", "127.0.0.1")
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    listeners.make_certificate(tmp_path / "node.pem")
    port = free_port()
    with started(tmp_path, {**settings, "PORT": str(port)}) as environment:
        refused = subprocess.run(IMPORT, cwd=tmp_path, env=environment, check=False, **CAPTURED)
        assert ready.cursors() == {}
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    assert refused.returncode == 1
    assert refused.stderr == (
        f"error: node {NODE_ID} is running at {where}; stop the node, then run this again\n"
    )
    finished = subprocess.run(IMPORT, cwd=tmp_path, env=environment, check=False, **CAPTURED)
    assert finished.returncode == 0
    assert finished.stderr == f"{PASSES}\n"


def _doubt(trouble: str) -> str:
    return DOUBT.format(f"127.0.0.1:{{port}} {trouble}").rstrip()


PASSES = DONE.format(1, 0, 0)
NO_ANSWER = _doubt("gave no answer in 10 s")
CLOSED = _doubt("closed the connection without an answer")
REFUSED = _doubt("refused the TLS connection")
IS_RUNNING = RUNNING.format(NODE_ID, "127.0.0.1:{port}").rstrip()


def what_may_listen(certificate: Path) -> Mapping[str, tuple[listeners.Behaviour, str]]:
    """Return what may listen on a node's port, and what import then says."""
    node = listeners.saying(listeners.http(listeners.NODE))
    return {
        "silent": (listeners.silent, NO_ANSWER),
        "dripping": (listeners.dripping, NO_ANSWER),
        "flooding": (listeners.flooding, PASSES),
        "closing": (listeners.saying(b""), CLOSED),
        "noise": (listeners.saying(b"\0" * 1000), PASSES),
        "another node": (listeners.saying(listeners.http({"node_id": "stigmem://node-b"})), PASSES),
        "node": (node, IS_RUNNING),
        "silent over TLS": (listeners.over_tls(certificate, listeners.silent), NO_ANSWER),
        "dripping over TLS": (listeners.over_tls(certificate, listeners.dripping), NO_ANSWER),
        "flooding over TLS": (listeners.over_tls(certificate, listeners.flooding), PASSES),
        "closing over TLS": (listeners.over_tls(certificate, listeners.saying(b"")), REFUSED),
        "node over TLS": (listeners.over_tls(certificate, node), IS_RUNNING),
        "node that wants a certificate": (listeners.over_mutual_tls(certificate, node), REFUSED),
    }


@pytest.mark.long
def test_whatever_listens(make_database: Callable[[str], Database], tmp_path: Path) -> None:
    """Whatever listens on the node's port, import ends in time, with one line."""
    (tmp_path / "c.json").write_text(checkpoint(entry("node-b")))
    table = what_may_listen(listeners.make_certificate(tmp_path / "node.pem"))
    for name in table:
        database = make_database(name)
        database.add_peer("node-b")
        database.add_facts("node-b", 1)

    def attempt(name: str) -> tuple[str, float]:
        behave, expected = table[name]
        began = time.monotonic()
        with listeners.listening(behave) as port:
            finished = run_in(
                tmp_path,
                ("stigmem-cursor", "import", "c.json", "--db", name),
                environment={"STIGMEM_PORT": str(port)},
            )
        seconds = time.monotonic() - began
        assert finished.stderr == expected.format(port=port) + "\n", name
        assert finished.returncode == (0 if expected == PASSES else 1)
        return name, seconds

    with ThreadPoolExecutor(len(table)) as executor:
        assert {name for name, seconds in executor.map(attempt, table) if seconds > 60} == set()


SLOW_NAMES = 'mount --bind resolv.conf /etc/resolv.conf && exec "$@"'


@pytest.mark.long
@pytest.mark.skipif(not CAN_MOUNT, reason="mount namespaces are not allowed here")
def test_name_server_that_does_not_answer(ready: Database, tmp_path: Path) -> None:
    """A name server that never answers costs import seconds, not minutes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.9", 53))
        (tmp_path / "resolv.conf").write_text(
            "nameserver 127.0.0.9\noptions timeout:30 attempts:5\n"
        )
        began = time.monotonic()
        finished = subprocess.run(
            [
                *("unshare", "-m", "sh", "-c", SLOW_NAMES, "sh"),
                *IMPORT,
            ],
            cwd=tmp_path,
            env=environment_for(BIN, STIGMEM_NODE_URL="http://node-a.example:8765"),
            check=False,
            **CAPTURED,
        )
        seconds = time.monotonic() - began
        assert server.recv(512)
    assert finished.stderr == f"{PASSES}\n"
    assert 1.5 < seconds < 60
