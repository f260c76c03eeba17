"""Where on this machine a node would answer, if it were running."""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from stigmem_cursor_plugin.host.parallel import at_once
from stigmem_cursor_plugin.host.settings import Settings

RESOLVE_PATIENCE = 2.0
"""Seconds to wait for the addresses of a name. A name that does not resolve is no node."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port as the settings name them; ``secure`` where TLS is expected there."""

    host: str
    port: int
    secure: bool


@dataclass(frozen=True, slots=True)
class Address:
    """An address of this machine, and the endpoint that it was found for."""

    family: int
    target: Any
    """What ``socket.connect`` takes: (address, port), for IPv6 with flow and scope."""
    endpoint: Endpoint

    def __str__(self) -> str:
        """Return ``127.0.0.1:8765`` or ``[::1]:8765``."""
        host, port = self.target[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def connect(self, seconds: float) -> socket.socket:
        """Return a connection with that time limit; raises OSError where there is none."""
        connection = socket.socket(self.family, socket.SOCK_STREAM)
        try:
            connection.settimeout(seconds)
            connection.connect(self.target)
        except BaseException:
            connection.close()
            raise
        return connection


def node_addresses(settings: Settings) -> Sequence[Address]:
    """Return each address at which the node may listen: its URL's, its host's, and loopback.

    Only addresses of this machine are returned: no other machine is ever asked.
    """
    endpoints = [endpoint for endpoint in _endpoints(settings) if 0 < endpoint.port < 1 << 16]
    found = {endpoint: _without_lookup(endpoint) for endpoint in endpoints}
    names = [endpoint for endpoint, addresses in found.items() if addresses is None]
    found |= at_once(_looked_up, names, RESOLVE_PATIENCE)
    addresses = [address for endpoint in endpoints for address in found[endpoint] or ()]
    # Of two with one address, the first is kept: that of the URL has the host name to send.
    return list({address.target: address for address in reversed(addresses)}.values())


def _endpoints(settings: Settings) -> Iterator[Endpoint]:
    try:
        url = urlsplit(settings.node_url)
        secure = url.scheme == "https"
        if url.hostname:
            yield Endpoint(url.hostname, url.port or (443 if secure else 80), secure)
    except ValueError:
        pass  # not a URL: nothing listens there
    # The host turns TLS on where both are set (stigmem-node 0.9.0a1 to 0.9.0a12).
    secure = bool(settings.tls_cert_path and settings.tls_key_path)
    for host in (settings.host, "127.0.0.1", "::1"):
        if host:  # an empty one means every interface, as 0.0.0.0 does
            yield Endpoint(host, settings.port, secure)


def _without_lookup(endpoint: Endpoint) -> Sequence[Address] | None:
    """Return the addresses of an endpoint that is named by address, None where it has a name."""
    hosts = ("127.0.0.1", "::1") if endpoint.host == "localhost" else (endpoint.host,)
    try:
        return [one for host in hosts for one in _found(endpoint, host, socket.AI_NUMERICHOST)]
    except (OSError, ValueError):
        return None


def _looked_up(endpoint: Endpoint) -> Sequence[Address]:
    try:
        return _found(endpoint, endpoint.host)
    except (OSError, ValueError):
        return ()


def _found(endpoint: Endpoint, host: str, flags: int = 0) -> Sequence[Address]:
    # Given a str, Python loads its table of international names.
    name = host.encode() if host.isascii() else host
    found = socket.getaddrinfo(name, endpoint.port, type=socket.SOCK_STREAM, flags=flags)
    return [
        Address(family, (_LISTENING_ON.get(str(address), address), *rest), endpoint)
        for family, _, _, _, (address, *rest) in found
        if _is_here(family, (address, 0, *rest[1:]))
    ]


_LISTENING_ON = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  asked, not listened on


def _is_here(family: int, address: Any) -> bool:
    """Tell whether *address* is one of this machine's own: only such a one can be bound."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as own:
            own.bind(address)
    except OSError:
        return False
    return True
