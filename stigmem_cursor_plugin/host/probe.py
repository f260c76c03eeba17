"""Whether a node is running on a database: its address is asked for its node id."""

import json
import socket
import time

PROBE_TIMEOUT = 0.5
"""Seconds to wait for a node that may be running."""


def running_node_id(port: int) -> str | None:
    """Return the id of the node that answers on the loopback address, or None.

    Asked in the clear, then over TLS, half a second in all. A node that wants a client
    certificate cannot be asked. Host behaviour: ``GET /.well-known/stigmem`` (stigmem-node
    0.9.0a1 to 0.9.0a12).
    """
    deadline = time.monotonic() + PROBE_TIMEOUT
    try:
        return _node_id(_ask(port, deadline)) or _node_id(_ask(port, deadline, secure=True))
    except (OSError, OverflowError):  # nobody listens there, or the port is none
        return None


def _ask(port: int, deadline: float, *, secure: bool = False) -> bytes:
    """Return what the port answers, as far as it does; raises OSError if nobody listens."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), _left(deadline)) as plain:
        try:
            with _secured(plain) if secure else plain as connection:
                connection.sendall(_REQUEST)
                while chunk := connection.recv(65536):
                    answer += chunk
                    connection.settimeout(_left(deadline))
        except OSError:
            pass  # another service, or one that never ends its answer
    return answer


_REQUEST = b"GET /.well-known/stigmem HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"


def _left(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())


def _secured(connection: socket.socket) -> socket.socket:
    import ssl  # noqa: PLC0415  only when something listens there

    # What answers is asked for its name, not trusted with anything.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection)


def _node_id(answer: bytes) -> str | None:
    try:
        node_id = json.loads(answer.partition(b"\r\n\r\n")[2])["node_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return node_id if isinstance(node_id, str) else None
