"""What a listener says when it is asked for its node id.

A node answers ``GET /.well-known/stigmem`` with a JSON object that has its ``node_id``
(stigmem-node 0.9.0a1 to 0.9.0a12).
"""

import json
import socket
import time
from contextlib import suppress
from dataclasses import dataclass

from stigmem_cursor_plugin.core.listener import Doubt, DoubtKind
from stigmem_cursor_plugin.host.addresses import Address, Endpoint

ANSWERS_WITHIN = 10.0
"""Seconds to wait for the answer to a connection: a node that stores a page answers late."""

NO_ANSWER = Doubt(DoubtKind.NO_ANSWER, f"{ANSWERS_WITHIN:.0f}")


@dataclass(frozen=True, slots=True)
class ListenerReply:
    """What came of asking a listener.

    At most one of ``node_id`` and ``doubt`` is set; neither means another service.
    """

    node_id: str | None = None
    doubt: Doubt | None = None
    certain: bool = True
    """False where the other transport, TLS or none, may say more."""


def ask(address: Address, certificate: tuple[str, str]) -> ListenerReply:
    """Ask the listener at *address*, over TLS and without, in :data:`ANSWERS_WITHIN`.

    *certificate* are the node's own, the files of certificate and key: with them a node that
    wants a client certificate can be asked. Raises OSError where no connection is made.
    """
    deadline = time.monotonic() + ANSWERS_WITHIN
    secure = address.endpoint.secure
    first = _ask_over(address, deadline, certificate if secure else None)
    if first.certain:
        return first
    other = _ask_over(address, deadline, None if secure else certificate)
    # If one transport says nothing certain, the reply over the other is better.
    return other if other.certain or first.doubt else first


def _ask_over(
    address: Address, deadline: float, certificate: tuple[str, str] | None
) -> ListenerReply:
    """Ask over TLS if a *certificate* is given, else in the clear."""
    secured = False
    with address.connect(max(0.001, deadline - time.monotonic())) as plain:
        try:
            if certificate is None:
                return _request(plain, address.endpoint)
            with _secured(plain, address.endpoint.host, certificate) as connection:
                secured = True
                return _request(connection, address.endpoint)
        except TimeoutError:
            return ListenerReply(doubt=NO_ANSWER, certain=secured or certificate is None)
        except OSError as error:
            # An alert proves that the listener speaks TLS.
            if secured or "ALERT" in str(getattr(error, "reason", "")):
                return ListenerReply(doubt=Doubt(DoubtKind.TLS_REFUSED))
            return ListenerReply(doubt=Doubt(DoubtKind.CLOSED), certain=False)


def _secured(connection: socket.socket, host: str, certificate: tuple[str, str]) -> socket.socket:
    import ssl  # noqa: PLC0415  only when something listens there

    # What answers is asked for its name, not trusted with anything.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if all(certificate):
        with suppress(OSError):  # the listener then says whether it can do without
            # The empty password keeps OpenSSL from asking for one on the terminal.
            context.load_cert_chain(*certificate, password="")
    return context.wrap_socket(connection, server_hostname=host)


def _request(connection: socket.socket, endpoint: Endpoint) -> ListenerReply:
    """Send the request and read the reply; raises OSError where there is none."""
    from http import client  # noqa: PLC0415  only when something listens there

    exchange = client.HTTPConnection(endpoint.host, endpoint.port)
    exchange.sock = connection
    exchange.request("GET", "/.well-known/stigmem", headers={"Connection": "close"})
    try:
        response = exchange.getresponse()
        body = response.read(_LONGEST)
    except client.RemoteDisconnected:
        raise
    except client.IncompleteRead:
        return _BROKEN_OFF
    except client.BadStatusLine as error:
        # Not HTTP; but this is how a TLS alert begins.
        return ListenerReply(certain=not str(error).startswith("\x15\x03"))
    except client.HTTPException:
        return ListenerReply()
    if response.length and len(body) < _LONGEST:
        return _BROKEN_OFF
    return _understood(response.status, body)


_LONGEST = 1 << 20
"""Bytes; a node's answer has some hundreds."""
_BROKEN_OFF = ListenerReply(doubt=Doubt(DoubtKind.BROKEN_OFF))


def _understood(status: int, body: bytes) -> ListenerReply:
    # 500 is a node's own failure, 504 that of a proxy which has waited for a busy node.
    if status in (500, 504):
        return ListenerReply(doubt=Doubt(DoubtKind.FAILED, str(status)))
    try:
        node_id = json.loads(body)["node_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        node_id = None
    if isinstance(node_id, str):
        return ListenerReply(node_id)
    # 400 is what web servers say to a plain request on a port for TLS.
    return ListenerReply(certain=status != 400)
