"""Where a node is looked for."""

import socket

import pytest

from stigmem_cursor_plugin.core.listener import Listener
from stigmem_cursor_plugin.host.addresses import node_addresses
from stigmem_cursor_plugin.host.probe import Probe
from stigmem_cursor_plugin.host.settings import Settings
from tests.listeners import NODE, NOWHERE, http, listening, saying
from tools.loopback import free_port

ANY = "0.0.0.0"  # noqa: S104  what a node listens on unless it is told otherwise


def test_nobody() -> None:
    """Where nobody listens nothing is found."""
    assert Probe(Settings(port=free_port(), node_url=NOWHERE)).listeners() == []


@pytest.mark.parametrize(
    ("listens_on", "host", "where"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", ANY, "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "localhost", "127.0.0.1"),
        ("127.0.0.1", "node-b.invalid", "127.0.0.1"),
        (ANY, ANY, "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2", "127.0.0.2"),
        ("::1", "::", "[::1]"),
        ("::1", "::1", "[::1]"),
        ("::1", ANY, "[::1]"),
    ],
)
def test_host(listens_on: str, host: str, where: str) -> None:
    """A node is found at the configured host, and on loopback whatever that is."""
    if ":" in listens_on and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with listening(saying(http(NODE)), listens_on) as port:
        found = Probe(Settings(host=host, port=port, node_url=NOWHERE)).listeners()
    assert found == [Listener(f"{where}:{port}", "stigmem://node-a", None)]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2:{}",
        "https://127.0.0.2:{}/federation",
        "http://operator:secret@127.0.0.2:{}",
        "http://[::ffff:127.0.0.2]:{}",
    ],
)
def test_url(url: str) -> None:
    """A node of which only the URL tells where it is, is found there."""
    with listening(saying(http(NODE)), "127.0.0.2") as port:
        settings = Settings(port=free_port(), node_url=url.format(port))
        found = Probe(settings).listeners()
    assert [one.node_id for one in found] == ["stigmem://node-a"]


@pytest.mark.parametrize(
    ("url", "port"), [("http://127.0.0.2", 80), ("https://127.0.0.2", 443), ("http://0.0.0.0:9", 9)]
)
def test_port_of_a_url(url: str, port: int) -> None:
    """A URL without a port means that of its scheme; a wildcard address means loopback."""
    addresses = [address.target for address in node_addresses(Settings(node_url=url))]
    assert ("127.0.0.2" if port > 9 else "127.0.0.1", port) in addresses


@pytest.mark.parametrize(
    "url",
    [
        "http://198.51.100.7:8765",
        "http://[2001:db8::7]:8765",
        NOWHERE,
        "http://127.0.0.2:99999",
        "http://[::1",
        "http://" + "a" * 300,
        "http://\N{LATIN SMALL LETTER U WITH DIAERESIS}.invalid:80",
        "node-a",
        "",
    ],
)
def test_elsewhere(url: str) -> None:
    """Another machine is never asked, and what is no URL leads nowhere."""
    for settings in (Settings(node_url=url), Settings(host=url, node_url=url)):
        found = sorted(str(address) for address in node_addresses(settings))
        assert found in (["127.0.0.1:8765"], ["127.0.0.1:8765", "[::1]:8765"])


@pytest.mark.parametrize("port", [-1, 0, 65536, 10**30])
def test_port_that_is_none(port: int) -> None:
    """Nobody listens on a port that does not exist."""
    assert Probe(Settings(port=port, node_url=NOWHERE)).listeners() == []
