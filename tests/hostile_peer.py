"""A peer that misbehaves: a small server on the loopback address in front of a real node."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx


@dataclass(frozen=True)
class Reply:
    """What is sent; the body is cut off after ``sent`` bytes where that is given."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int | None = None

    @property
    def page(self) -> dict[str, Any]:
        """The page of facts in it."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def with_page(self, **changes: object) -> "Reply":
        """Return it with something else in its page."""
        return replace(self, body=json.dumps({**self.page, **changes}).encode())


Ask = Callable[[], Reply]
"""Gets the honest answer from the node behind."""
Behaviour = Callable[[int, Mapping[str, str], Ask], Reply]


def honest(_number: int, _query: Mapping[str, str], ask: Ask) -> Reply:
    """Answer as the node behind does."""
    return ask()


@dataclass
class HostilePeer:
    """The server and how it behaves.

    It serves at most ``page_size`` facts in a page, where that is given.
    ``behave`` is given each request's number from 1, its query and the way to the honest answer,
    and returns what is sent.
    """

    url: str
    behind: str
    page_size: int | None = None
    behave: Behaviour = honest
    requests: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def reform(self) -> None:
        """Be honest again, and forget what was asked."""
        self.behave = honest
        self.requests.clear()
        self.paths.clear()

    def answer(self, target: str, headers: Mapping[str, str]) -> Reply:
        """Return what to send for a request."""
        query = {name: values[-1] for name, values in parse_qs(urlsplit(target).query).items()}
        self.requests.append(query)
        self.paths.append(urlsplit(target).path)

        def ask() -> Reply:
            limit = int(query.get("limit", 100))
            params = {**query, "limit": str(min(limit, self.page_size or limit))}
            url = f"{self.behind}{urlsplit(target).path}"
            answer = httpx.get(url, params=params, headers=headers, timeout=60)
            return Reply(answer.status_code, answer.content)

        return self.behave(len(self.requests), query, ask)


@contextmanager
def hostile_peer(behind: str, page_size: int | None = None) -> Iterator[HostilePeer]:
    """Start a server in front of the node at the URL *behind*; it is honest at first."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = {n: self.headers[n] for n in ("Authorization", "Stigmem-Verify")}
            reply = peer.answer(self.path, wanted)
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body[: reply.sent])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    peer = HostilePeer(f"http://127.0.0.1:{server.server_port}", behind, page_size)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
