"""What may listen where a node is looked for: stand-ins for a node, and other services.

A real node cannot be made to start between two system calls of another program, nor to fail in
a chosen way.
"""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from tests.database import NODE_ID

NODE = {"node_id": NODE_ID}
"""What node-a answers to whoever asks for its id."""
NOWHERE = "http://node-b.invalid"
"""A URL that leads to no machine."""

Behaviour = Callable[[socket.socket], None]
"""What a listener does with a connection, which is closed afterwards."""

ENOUGH = 60.0
"""Seconds after which a listener gives up, whatever it was told to do."""


@contextmanager
def listening(behave: Behaviour, host: str = "127.0.0.1") -> Iterator[int]:
    """Treat every connection as *behave* does, each in a thread of its own; yield the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        server.settimeout(0.1)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                with suppress(TimeoutError):
                    connection = server.accept()[0]
                    threading.Thread(target=treat, args=(connection,), daemon=True).start()

        def treat(connection: socket.socket) -> None:
            connection.settimeout(ENOUGH)
            with connection, suppress(OSError):
                behave(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            thread.join()


def request_of(connection: socket.socket) -> bytes:
    """Read a request up to the empty line; nothing if it is none of HTTP, or the client goes."""
    request = b""
    while received := connection.recv(65536):
        request += received
        if request.endswith(b"\r\n\r\n") or not request[:1].isupper():
            break
    return request if request.endswith(b"\r\n\r\n") else b""


def saying(answer: bytes) -> Behaviour:
    """Read the request, send these bytes and close the connection."""

    def behave(connection: socket.socket) -> None:
        if request_of(connection):
            connection.sendall(answer)

    return behave


def http(body: object, status: int = 200, missing: int = 0) -> bytes:
    """Return an answer of HTTP, without the last *missing* bytes that it announces."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = len(data) + missing
    return f"HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\n\r\n".encode() + data


def in_turn(bodies: Sequence[object]) -> Behaviour:
    """Answer each request for the node id with the next of *bodies*."""
    waiting = list(bodies)

    def behave(connection: socket.socket) -> None:
        if request := request_of(connection):
            assert request.startswith(b"GET /.well-known/stigmem HTTP/1.1\r\n")
            connection.sendall(http(waiting.pop(0)))

    return behave


def silent(connection: socket.socket) -> None:
    """Say nothing until the client has gone."""
    while connection.recv(65536):
        pass


def dripping(connection: socket.socket) -> None:
    """Send a byte of an endless header again and again."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(round(ENOUGH / 0.2)):
        connection.sendall(b"x")
        time.sleep(0.2)


def flooding(connection: socket.socket) -> None:
    """Send without an end."""
    deadline = time.monotonic() + ENOUGH
    while time.monotonic() < deadline:
        connection.sendall(b"\0" * 65536)


def over_tls(certificate: Path, behave: Behaviour, *, plain: bytes = b"") -> Behaviour:
    """Behave so over TLS; say *plain* to a client that speaks plainly."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return _tls(context, behave, plain)


def over_mutual_tls(certificate: Path, behave: Behaviour) -> Behaviour:
    """Behave so to a client that shows *certificate*, as a node with TLS settings does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    return _tls(context, behave, b"")


def _tls(context: ssl.SSLContext, behave: Behaviour, plain: bytes) -> Behaviour:
    def treat(connection: socket.socket) -> None:
        if connection.recv(1, socket.MSG_PEEK) == b"\x16":
            with context.wrap_socket(connection, server_side=True) as secured:
                behave(secured)
        elif request_of(connection):
            connection.sendall(plain)

    return treat


def make_certificate(path: Path, password: str | None = None) -> Path:
    """Write a self-signed certificate and its key to one file; the key may have a password."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node-a")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        + signed.public_bytes(Encoding.PEM)
    )
    return path
