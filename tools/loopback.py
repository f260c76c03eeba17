"""Real stigmem nodes on the loopback address, for demo, tests, benchmarks and the soak.

Each node is a subprocess with its own database and keys: stigmem-node of this environment, or of
another one. Needs the host's migrations in place (``tools/hosts.py``).
"""

import base64
import hashlib
import json
import os
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tools import postgres

PATIENCE = 60.0
"""Seconds to wait for a node to do something; generous, because machines are slow at times."""

BIN = Path(sys.executable).parent
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once: for each call, httpx would load all of the machine's certificates."""
INSIDE_HOST = Path(__file__).with_name("inside_host.py")

_MIGRATE = "import sys; from stigmem_node.db import apply_migrations as a; a(sys.argv[1])"
_PREPARE = """
import sys
from stigmem_node.auth import create_api_key
from stigmem_node.db import apply_migrations, db
apply_migrations()
with db() as connection:
    for pair in zip(("node_id", "federation_pubkey", "federation_privkey"), sys.argv[2:]):
        connection.execute(
            "INSERT INTO node_meta (key, value) VALUES (?, ?) ON CONFLICT(key) DO NOTHING", pair
        )
print(create_api_key(sys.argv[1], ["read", "write", "federate", "admin:federation"]))
"""


def base64url(data: bytes) -> str:
    """Return bytes as the host writes keys and signatures."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


_OTHER_DATABASES = {"STIGMEM_STORAGE_BACKEND", "STIGMEM_AT_REST_ENCRYPTION"}


_MIGRATING = threading.Lock()


@cache
def _migrated() -> bytes:
    """Return an empty database as the host's migrations make it, which takes them a while."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "stigmem.db"
        subprocess.run([sys.executable, "-c", _MIGRATE, path], cwd=directory, check=True)
        return path.read_bytes()


def free_port() -> int:
    """Return a port of the loopback address that nothing listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def wait_for(what: str, condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until *condition* holds; raises TimeoutError, naming *what*, after some *seconds*."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.1)


@dataclass
class Node:
    """A node: its files in a directory of its own, and its process while it runs."""

    name: str
    directory: Path
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    binaries: Path = BIN
    """The programs of the environment whose stigmem-node this is."""
    _api_key: str = ""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def node_id(self) -> str:
        """The id that the node goes by."""
        return f"stigmem://{self.name}"

    @property
    def url(self) -> str:
        """Where the node listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        """The node's database file."""
        return self.directory / "stigmem.db"

    @property
    def log(self) -> Path:
        """What the node has logged."""
        return self.directory / "node.log"

    @property
    def public_key(self) -> str:
        """The federation key, base64url."""
        return base64url(self.key.public_key().public_bytes_raw())

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the node and of commands run beside it."""
        inherited = {k: v for k, v in os.environ.items() if not k.upper().startswith("STIGMEM_")}
        return inherited | {
            "PATH": f"{self.binaries}{os.pathsep}{os.environ['PATH']}",
            "STIGMEM_DB_PATH": str(self.database),
            "STIGMEM_HOST": "127.0.0.1",
            "STIGMEM_PORT": str(self.port),
            "STIGMEM_NODE_URL": self.url,
            "STIGMEM_NODE_ID": self.node_id,
            "STIGMEM_FEDERATION_ENABLED": "true",
            "STIGMEM_FEDERATION_INSECURE": "1",
            "STIGMEM_FEDERATION_PULL_INTERVAL_S": "1",
            "STIGMEM_FEDERATION_PUBKEY": self.public_key,
            "STIGMEM_FEDERATION_PRIVKEY": base64url(self.key.private_bytes_raw()),
            "STIGMEM_RATE_LIMIT_WRITE_PER_HOUR": "1000000",
            "STIGMEM_PLUGIN_AUTO_DISCOVERY_ENABLED": "false",
            **self.settings,
        }

    def prepare(self) -> None:
        """Make the database with the host's own migrations, and an API key."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if not _OTHER_DATABASES & self.settings.keys() and not self.database.exists():
            with _MIGRATING:
                empty = _migrated()
            self.database.write_bytes(empty)
        keys = (self.public_key, base64url(self.key.private_bytes_raw()))
        finished = subprocess.run(
            [self.binaries / "python", "-c", _PREPARE, self.url, self.node_id, *keys],
            env=self.environment,
            cwd=self.directory,
            check=True,
            capture_output=True,
            text=True,
        )
        self._api_key = finished.stdout.split()[-1]

    def start(self, *, publish: bool = True) -> None:
        """Start the node, wait until it answers, and *publish* its manifest."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self.binaries / "python", "-m", "uvicorn", "stigmem_node.main:app"),
                    *("--host", "127.0.0.1", "--port", str(self.port)),
                ],
                env=self.environment,
                cwd=self.directory,
                stdout=log,
                stderr=log,
            )
        wait_for(f"{self.name} to start (see {self.log})", self.answers)
        if publish:
            self._publish_manifest()

    def answers(self) -> bool:
        """Tell whether the node answers."""
        try:
            return httpx.get(f"{self.url}/healthz", timeout=5, verify=NO_TLS).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """Stop the node, if it runs, and wait until it has ended."""
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(PATIENCE)
            self._process = None

    @property
    def is_running(self) -> bool:
        """Whether the node was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def signal(self, sign: signal.Signals) -> None:
        """Send a signal to the node, which runs."""
        assert self._process is not None
        self._process.send_signal(sign)

    def call(self, method: str, path: str, body: object) -> Any:
        """Call the node's API as its administrator."""
        answer = httpx.request(
            method,
            f"{self.url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {self._api_key}"},
            timeout=PATIENCE,
            verify=NO_TLS,
        )
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def _publish_manifest(self) -> None:
        from stigmem_node.identity.manifest import (  # noqa: PLC0415
            OrgManifest,
            manifest_to_dict,
            sign_manifest,
        )

        now = datetime.now(UTC)
        manifest = OrgManifest(
            entity_uri=self.url,
            key_id=f"{self.name}-key",
            public_key=self.public_key,
            issued_at=now.isoformat(),
            expires_at=(now + timedelta(days=300)).isoformat(),
            entities=[self.url, self.node_id],
        )
        signed = manifest_to_dict(sign_manifest(manifest, self.key))
        self.call("PUT", "/v1/federation/manifest", signed)

    def add_peer(self, peer: "Node") -> str:
        """Register and approve *peer*, so that this node pulls from it; return its peer id."""
        declaration = {
            "allowed_scopes": ["company", "public"],
            "federation_pubkey": peer.public_key,
            "node_id": peer.node_id,
            "node_url": peer.url,
            "signed_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        canonical = json.dumps(declaration, sort_keys=True, separators=(",", ":")).encode()
        declaration["declaration_sig"] = base64url(peer.key.sign(canonical))
        registered = self.call("POST", "/v1/federation/peers", declaration)
        # The first release of the host takes a peer without approval.
        if registered["status"] != "active":
            self.approve(peer, registered["peer_id"])
        return str(registered["peer_id"])

    def approve(self, peer: "Node", peer_id: str) -> None:
        """Approve *peer*, which has registered with this node and got that id."""
        fingerprint = hashlib.sha256(peer.public_key.encode()).hexdigest()
        path = f"/v1/federation/peers/{peer_id}/approve"
        self.call("POST", path, {"pubkey_fingerprint": f"sha256:{fingerprint}"})

    def post_facts(self, subjects: Iterable[str]) -> None:
        """Assert one public fact about each subject."""
        for subject in subjects:
            self.call(
                "POST",
                "/v1/facts",
                {
                    "entity": f"demo:{subject}",
                    "relation": "demo:name",
                    "value": {"type": "string", "v": subject},
                    "source": self.url,
                    "scope": "public",
                },
            )

    def add_facts(self, facts: Iterable[Mapping[str, object]]) -> None:
        """Store facts as this node stores its own, many thousands a second.

        Each is given by the columns in which it is not like ``tools.inside_host.USUAL``.
        """
        self.inside("fill", (json.dumps(fact) + "\n" for fact in facts))

    def inside(self, what: str, lines: Iterable[str] = ()) -> str:
        """Run ``tools/inside_host.py`` on this node's database; return what it printed."""
        with subprocess.Popen(
            [self.binaries / "python", "-P", INSIDE_HOST, what],
            env=self.environment,
            cwd=self.directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.writelines(lines)
            process.stdin.close()
            printed = process.stdout.read()
        if process.returncode:
            raise RuntimeError(f"{self.name}: {what} ended with exit status {process.returncode}")
        return printed

    @property
    def pid(self) -> int:
        """The process id of the node, which runs."""
        assert self._process is not None
        return self._process.pid

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Query or change the node's database."""
        dsn = self.settings.get("STIGMEM_PG_DSN")
        if dsn:
            return postgres.query(dsn, sql, parameters)
        with closing(sqlite3.connect(self.database, timeout=PATIENCE)) as connection, connection:
            return connection.execute(sql, parameters).fetchall()

    def facts_from(self, peer: "Node") -> set[str]:
        """Return the ids of the facts received from *peer*."""
        rows = self.query("SELECT id FROM facts WHERE received_from = ?", [peer.node_id])
        return {row[0] for row in rows}

    def own_facts(self) -> set[str]:
        """Return the ids of the public facts asserted at this node."""
        rows = self.query(
            "SELECT id FROM facts WHERE received_from IS NULL AND entity LIKE 'demo:%'"
        )
        return {row[0] for row in rows}

    def cursor(self, peer: "Node") -> str | None:
        """Return the inbound position of *peer*."""
        rows = self.query(
            "SELECT cursor FROM replication_cursors JOIN peers ON peers.id = peer_id"
            " WHERE node_id = ? AND direction = 'inbound'",
            [peer.node_id],
        )
        return rows[0][0] if rows else None

    def pulls_served(self, log_offset: int) -> list[int]:
        """Return how many facts each pull answered since *log_offset* took with it.

        Counted from the node's access log: each request names the cursor it pulls from.
        """
        clocks = sorted(
            row[0] for row in self.query("SELECT hlc FROM facts WHERE entity LIKE 'demo:%'")
        )
        return [
            min(limit, sum(1 for clock in clocks if clock > cursor))
            for cursor, limit in _pulls(self.log.read_bytes()[log_offset:].decode())
        ]


def _pulls(log: str) -> Iterator[tuple[str, int]]:
    for target in re.findall(r'"GET (/v1/federation/facts\?\S*) HTTP/1.1" 200', log):
        query = parse_qs(urlsplit(target).query)
        yield query.get("cursor", [""])[0], int(query["limit"][0])


@contextmanager
def running(*nodes: Node) -> Iterator[None]:
    """Prepare and start *nodes* at once; all are stopped at the end, or if one does not start."""
    with ExitStack() as stack:
        for node in nodes:
            stack.callback(node.stop, signal.SIGKILL)
        with ThreadPoolExecutor(len(nodes)) as threads:
            started = [threads.submit(_start, node) for node in nodes]
        for one in started:
            one.result()
        yield


def _start(node: Node) -> None:
    node.prepare()
    node.start()


@contextmanager
def two_nodes(
    directory: Path, *, interval: str = "1", **settings: str
) -> Iterator[tuple[Node, Node]]:
    """Start nodes a and b with each other as peers; both are stopped at the end.

    Both pull each *interval* seconds; *settings* are environment variables of node a.
    """
    pull = {"STIGMEM_FEDERATION_PULL_INTERVAL_S": interval}
    a = Node("node-a", directory / "a", settings=pull | settings)
    b = Node("node-b", directory / "b", settings=dict(pull))
    with running(a, b):
        a.add_peer(b)
        b.add_peer(a)
        yield a, b


@contextmanager
def relaying_nodes(directory: Path) -> Iterator[tuple[Node, Node, Node]]:
    """Start nodes a, b and c, all peers; a and c relay, and a takes facts of b from c too."""
    relay = "STIGMEM_FEDERATION_RELAY_ENABLED"
    a, b, c = (Node(f"node-{name}", directory / name) for name in "abc")
    a.settings[relay] = c.settings[relay] = "true"
    with running(a, b, c):
        for node, peer in permutations((a, b, c), 2):
            node.add_peer(peer)
        a.query("UPDATE peers SET relay_trusted = 1 WHERE node_id = ?", [c.node_id])
        yield a, b, c


def caught_up(a: Node, b: Node) -> bool:
    """Tell whether node a holds every fact that node b offers, and has a position for it."""
    return a.facts_from(b) >= b.own_facts() and a.cursor(b) is not None
