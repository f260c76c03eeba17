"""Asks a peer in a thread of its own, so that the next page travels while this one is stored."""

import asyncio
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx

from stigmem_cursor_plugin.core.page import Answer

LONGEST_ANSWER = 120.0
"""Seconds for a whole answer; the host's own limit of 30 s is for each part of it."""


@dataclass(frozen=True, slots=True)
class PeerReply:
    """An answer, and the response that it was read from; None where there was none."""

    answer: Answer
    response: httpx.Response | None = None


class Asker:
    """The host's client, in a thread of its own."""

    _client: httpx.AsyncClient

    def __init__(self, make_client: Callable[[], httpx.AsyncClient]) -> None:
        """Take what makes the host's client; it is made when the thread starts."""
        self._make_client = make_client
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._ahead: tuple[Any, Future[PeerReply]] | None = None

    def __enter__(self) -> Self:
        """Start the thread."""
        # anyio 4.16 leaves a coroutine that nobody awaits if a request is cancelled while it
        # connects; Python's warning would reach the operator.
        warnings.filterwarnings("ignore", ".*connect_tcp.* was never awaited", RuntimeWarning)
        self._thread.start()
        self._client = self._run(self._opened())
        return self

    def __exit__(self, *_: object) -> None:
        """Close the client, whatever it still waits for, and end the thread."""
        self._run(self._closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def reply(self, url: str, request: dict[str, Any]) -> PeerReply:
        """Return the reply to a GET request, which may have been asked ahead.

        *request* holds the arguments of ``httpx.AsyncClient.get``.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            if ahead[0] == _key(url, request):
                return ahead[1].result()
            ahead[1].cancel()
        return self._send(url, request).result()

    def ask_ahead(self, url: str, request: dict[str, Any]) -> None:
        """Send a GET request whose reply is wanted later, if at all."""
        self._ahead = _key(url, request), self._send(url, request)

    def _send(self, url: str, request: dict[str, Any]) -> "Future[PeerReply]":
        return asyncio.run_coroutine_threadsafe(self._ask(url, request), self._loop)

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _opened(self) -> httpx.AsyncClient:
        return await self._make_client().__aenter__()

    async def _closed(self) -> None:
        current = asyncio.current_task()
        waiting = [task for task in asyncio.all_tasks() if task is not current]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await self._client.aclose()

    async def _ask(self, url: str, request: dict[str, Any]) -> PeerReply:
        try:
            async with asyncio.timeout(LONGEST_ANSWER):
                response = await self._client.get(url, **request)
        except Exception as error:  # noqa: BLE001  whatever the peer did, it did not answer
            return PeerReply(Answer(error=_why(error)))
        # The stream leads back to the response: a page would stay until the next full collection.
        response.stream = httpx.ByteStream(b"")
        return PeerReply(_read(response), response)


def _key(url: str, request: dict[str, Any]) -> Any:
    # All that makes two requests the same, but for the token.
    return url, {name: value for name, value in request.items() if name != "headers"}


def _why(error: Exception) -> str:
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        return "it took too long"
    if isinstance(error, httpx.RemoteProtocolError):
        return f"it was cut short ({error})"
    return str(error) or type(error).__name__


def _read(response: httpx.Response) -> Answer:
    try:
        document = response.json() if response.status_code == 200 else None
    except (ValueError, RecursionError):
        document = None
    return Answer(response.status_code, document, _seconds(response.headers.get("Retry-After")))


def _seconds(retry_after: str | None) -> float:
    """Return the seconds in a ``Retry-After`` header: a number of them, or a date (RFC 9110)."""
    if retry_after is None:
        return 0.0
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
