"""What is made of whatever listens where a node is looked for."""

import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from stigmem_cursor_plugin.host.probe import Probe
from stigmem_cursor_plugin.host.settings import Settings
from stigmem_cursor_plugin.reports import running_node
from tests.listeners import (
    NODE,
    NOWHERE,
    dripping,
    flooding,
    http,
    listening,
    make_certificate,
    over_mutual_tls,
    over_tls,
    request_of,
    saying,
    silent,
)
from tools.loopback import free_port


def heard(port: int, **settings: str) -> list[tuple[str | None, str | None]]:
    """Return the node ids and doubts, in words, that are found with these settings."""
    probe = Probe(Settings(**{"port": port, "node_url": NOWHERE, **settings}))  # type: ignore[arg-type]
    return [
        (one.node_id, running_node.sentence(one.doubt) if one.doubt else None)
        for one in probe.listeners()
    ]


OTHER_SERVICES: Mapping[str, bytes] = {
    "not found": http(b"no such page", 404),
    "moved": http(b"", 301),
    "gateway without a node": http(b"Bad Gateway", 502),
    "plain request refused": http(b"use https", 400),
    "page": http(b"<html>"),
    "empty": http(b""),
    "number": http({"node_id": 5}),
    "no id": http({}),
    "list": http([]),
    "nested": http(b"[" * 100_000),
    "bytes": http(b"\xff" * 100_000),
    "long": http(b" " * (1 << 21)),
    "until closed": b"HTTP/1.0 200 OK\r\n\r\n{}",
    "header without an end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "redis": b"-ERR unknown command\r\n",
    "noise": b"\0" * 100_000,
}


@pytest.mark.parametrize("answer", OTHER_SERVICES.values(), ids=OTHER_SERVICES)
def test_other_service(answer: bytes) -> None:
    """What answers, and clearly is no stigmem node, is passed over."""
    with listening(saying(answer)) as port:
        assert heard(port) == []


def test_endless_answer() -> None:
    """So is what never stops sending."""
    with listening(flooding) as port:
        assert heard(port) == []


def test_several_nodes() -> None:
    """Each node that answers is reported, another's too."""
    other = {"node_id": "stigmem://node-b"}
    with (
        listening(saying(http(NODE)), "127.0.0.2") as port,
        listening(saying(http(other))) as second,
    ):
        url = f"http://127.0.0.1:{second}"
        found = heard(port, host="127.0.0.2", node_url=url)
    assert sorted(found) == [("stigmem://node-a", None), ("stigmem://node-b", None)]


CLOSED = "closed the connection without an answer"
NO_ANSWER = "gave no answer in 10 s"
TROUBLES: Mapping[str, tuple[bytes, str]] = {
    "closed": (b"", CLOSED),
    "broken off": (http(NODE, missing=1), "broke off its answer"),
    "own failure": (http(b"Internal Server Error", 500), "answered with HTTP status 500"),
    "proxy that waited": (http(b"Gateway Timeout", 504), "answered with HTTP status 504"),
}


@pytest.mark.parametrize(("answer", "trouble"), TROUBLES.values(), ids=TROUBLES)
def test_trouble(answer: bytes, trouble: str) -> None:
    """What gives no answer, or one that a node in trouble gives, may be the node."""
    with listening(saying(answer)) as port:
        assert heard(port) == [(None, trouble)]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("plain", [b"", http(b"use https", 400), b"\x15\x03\x01\0\x02\x02\x46"])
def test_tls(certificate: Path, scheme: str, plain: bytes) -> None:
    """A node behind TLS is recognised, whatever it says to a plain request."""
    behave = over_tls(certificate, saying(http(NODE)), plain=plain)
    with listening(behave) as port:
        found = heard(free_port(), node_url=f"{scheme}://127.0.0.1:{port}")
    assert found == [("stigmem://node-a", None)]


def test_other_service_behind_tls(certificate: Path) -> None:
    """Another service behind TLS is passed over."""
    with listening(over_tls(certificate, saying(http(b"", 404)))) as port:
        assert heard(port) == []


def test_url_names_the_site(certificate: Path) -> None:
    """A web server in front of several sites is asked for that of the URL."""
    asked: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        if request := request_of(connection):
            asked.append(request)
        connection.sendall(http(NODE))

    with listening(behave) as port:
        assert heard(free_port(), node_url=f"http://LocalHost:{port}") == [
            ("stigmem://node-a", None)
        ]
    assert f"Host: localhost:{port}\r\n".encode() in asked[0]


def test_client_certificate(certificate: Path, tmp_path: Path) -> None:
    """A node that wants a client certificate is asked with its own; without, it may be any."""
    locked = make_certificate(tmp_path / "locked.pem", password="secret")  # noqa: S106
    with listening(over_mutual_tls(certificate, saying(http(NODE)))) as port:
        for key in (certificate, tmp_path / "none.pem", locked):
            found = heard(port, tls_cert_path=str(certificate), tls_key_path=str(key))
            if key == certificate:
                assert found == [("stigmem://node-a", None)]
            else:
                assert found == [(None, "refused the TLS connection")]
        assert heard(port) == [(None, "refused the TLS connection")]


@pytest.mark.long
def test_ten_seconds() -> None:
    """What never ends an answer is waited for, ten seconds for all addresses together."""
    with listening(silent) as first, listening(dripping) as second:
        began = time.monotonic()
        found = heard(first, node_url=f"http://127.0.0.1:{second}")
        seconds = time.monotonic() - began
    assert found == [(None, NO_ANSWER)] * 2
    assert 9.5 < seconds < 20


@pytest.mark.long
def test_full_queue() -> None:
    """A node that is too busy even to take a connection is not taken for a stopped one."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1))
        address = server.getsockname()
        with suppress(TimeoutError):
            for _ in range(1_000):
                stack.enter_context(socket.create_connection(address, 0.5))
            pytest.fail("the queue is never full")
        assert heard(address[1]) == [(None, NO_ANSWER)]


@pytest.mark.long
def test_refusal_without_tls() -> None:
    """A service that refuses the request, and does not speak TLS either, is another one."""

    def behave(connection: socket.socket) -> None:
        if connection.recv(65536).startswith(b"GET "):
            connection.sendall(http(b"", 400))
        else:
            silent(connection)

    with listening(behave) as port:
        assert heard(port) == []


@pytest.mark.long
def test_late_answer() -> None:
    """A node that answers after five seconds is heard."""
    answer = saying(http(NODE))

    def behave(connection: socket.socket) -> None:
        if connection.recv(1, socket.MSG_PEEK):
            time.sleep(5)
            answer(connection)

    with listening(behave) as port:
        assert heard(port) == [("stigmem://node-a", None)]


@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=300).map(lambda data: b"HTTP/1.1 200 OK\r\n\r\n" + data),
        st.text(max_size=100).map(lambda text: http({"node": text})),
        st.sampled_from(sorted(OTHER_SERVICES.values())).flatmap(
            lambda answer: st.integers(0, 200).map(lambda length: answer[:length])
        ),
    )
)
@hypothesis_settings(max_examples=60)
def test_any_answer(answer: bytes) -> None:
    """Whatever is sent, there is a verdict, and without a node id it is never that of a node."""
    with listening(saying(answer)) as port:
        assert heard(port) in ([], [(None, CLOSED)], [(None, "broke off its answer")])
