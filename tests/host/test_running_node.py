"""A node that runs on the database is refused, before anything is written and before it counts."""

import json
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.builders import DONE, checkpoint, entry
from tests.database import NODE_ID, Database
from tests.running import Run


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node-a")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "node.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + signed.public_bytes(Encoding.PEM)
    )
    return path


@contextmanager
def answering(bodies: Sequence[object], certificate: Path | None = None) -> Iterator[int]:
    """Stand in for a node whose answers change from one request to the next; yield its port.

    A real node cannot be made to start between two system calls of another program.
    """
    waiting = list(bodies)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/.well-known/stigmem"
            body = waiting.pop(0)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def ready(database: Database, tmp_path: Path) -> Database:
    """A database that waits for the position in ``c.json``."""
    database.add_peer("node-b")
    database.add_facts("node-b", 1)
    (tmp_path / "c.json").write_text(checkpoint(entry("node-b")))
    return database


@pytest.mark.parametrize("before", [[], [{"node_id": "another"}]], ids=["at once", "meanwhile"])
def test_running_node_is_refused(
    ready: Database, stigmem: Run, before: list[dict[str, str]]
) -> None:
    """A node that answers with this database's id is refused, also if it starts meanwhile."""
    with answering([*before, {"node_id": NODE_ID}]) as port:
        finished = stigmem("cursor-import", "c.json", STIGMEM_PORT=str(port))
    assert finished.returncode == 1
    assert finished.stderr == (
        f"error: node {NODE_ID} is running on port {port}; stop it first (runbook, Step 1), then "
        "run this again\n"
    )
    assert ready.cursors() == {}


@pytest.mark.parametrize(
    "body",
    [{"node_id": "another"}, {"node_id": 5}, {}, [], b"not json", b"", b"\xff" * 100_000],
    ids=["another", "number", "empty", "list", "text", "nothing", "bytes"],
)
def test_anything_else_is_not_this_node(ready: Database, stigmem: Run, body: object) -> None:
    """Another node, or another service altogether, does not keep an import from its work."""
    # In the clear and over TLS, before and after the work.
    with answering([body] * 4) as port:
        finished = stigmem("cursor-import", "c.json", STIGMEM_PORT=str(port))
    assert finished.returncode == 0
    assert finished.stderr == DONE.format(1, 0, 0) + "\n"


def test_node_behind_tls_is_refused(
    ready: Database, stigmem: Run, certificate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A node that speaks only TLS is recognised too."""
    with answering([{"node_id": NODE_ID}], certificate) as port:
        finished = stigmem("cursor-import", "c.json", STIGMEM_PORT=str(port))
    assert finished.returncode == 1
    assert finished.stderr.startswith(f"error: node {NODE_ID} is running on port {port};")
    assert ready.cursors() == {}


def test_dry_run_is_refused_too(ready: Database, stigmem: Run) -> None:
    """A dry run says what an import would do: it would be refused."""
    with answering([{"node_id": NODE_ID}]) as port:
        finished = stigmem("cursor-import", "--dry-run", "c.json", STIGMEM_PORT=str(port))
    assert finished.returncode == 1
