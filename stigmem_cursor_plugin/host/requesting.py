"""Stands in for the client that the host asks its peers with, for one page."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from stigmem_cursor_plugin.core.page import Ask, Page, PageProblem, judge
from stigmem_cursor_plugin.host.asking import Asker
from stigmem_cursor_plugin.host.functions import Host
from stigmem_cursor_plugin.host.watching import Watch


class NoPageError(Exception):
    """The answer holds no page that can be stored.

    Raised through the host's code, so that the host neither sees the answer nor stores from it.
    """

    def __init__(self, problem: PageProblem) -> None:
        """Take what is wrong with the answer."""
        self.problem = problem


class PageRequest:
    """Asks for a page, and checks it before the host does."""

    page: Page | None = None
    """What the peer answered, once it is known to be a page."""

    def __init__(
        self,
        host: Host,
        asker: Asker,
        watch: Watch,
        row: Mapping[str, Any],
        ask: Ask,
        lock: Callable[[], None],
    ) -> None:
        """Ask *ask* of the peer with the row *row*; *lock* is called once the page is there."""
        self._host = host
        self._asker = asker
        self._watch = watch
        self.row = row
        self.ask = ask
        self._lock = lock

    async def get(self, url: str, **arguments: Any) -> Any:
        """Answer the host's request for a page; raises NoPageError where there is none."""
        arguments["params"] = {**arguments["params"], "limit": self.ask.limit}
        reply = self._asker.reply(url, arguments)
        page = judge(reply.answer, self.ask)
        if isinstance(page, PageProblem):
            raise NoPageError(page)
        if page.has_more and self.ask.ahead:
            self._ask_ahead(page, url, arguments)
        # Not before: other writers would wait for the lock while the peer makes its answer.
        self._lock()
        self.page = page
        return self._watch.response(reply.response, reply.answer.document, self.ask.passed_over)

    def _ask_ahead(self, page: Page, url: str, arguments: dict[str, Any]) -> None:
        """Ask for the page after *page*, with a token of its own: a peer takes each one once."""
        scopes = json.loads(self.row["allowed_scopes"])
        token = self._host.pulling.create_peer_token(self.row["node_id"], scopes)
        headers = {**arguments["headers"], "Authorization": f"Bearer {token}"}
        params = {**arguments["params"], "limit": self.ask.ahead, "cursor": page.position}
        self._asker.ask_ahead(url, {**arguments, "headers": headers, "params": params})
