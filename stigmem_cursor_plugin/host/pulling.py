"""Pulls facts from peers with the host's own functions, page by page.

Every rule that the node applies to a fact is applied by the same code. What changes is how it is
called: the steps of a page share one connection and one transaction, which the position is part
of; 500 facts are asked for; the next page is asked for while this one is stored; facts of any age
are taken.

    with open_session(settings, live=False) as session:
        outcome = session.pull(peer, Ask(session.position(peer)), before_storing)
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from stigmem_cursor_plugin.core.catchup import PageOutcome, Refused, Stored, refusal
from stigmem_cursor_plugin.core.page import (
    Ask,
    PageProblem,
    PageTrouble,
    UnstoredFact,
)
from stigmem_cursor_plugin.core.positions import is_served_before
from stigmem_cursor_plugin.core.snapshot import ACTIVE, Peer
from stigmem_cursor_plugin.errors import CursorError, StoreError
from stigmem_cursor_plugin.host import starting
from stigmem_cursor_plugin.host.asking import Asker
from stigmem_cursor_plugin.host.dialects import as_mapping, is_the_databases
from stigmem_cursor_plugin.host.functions import Host, find_host
from stigmem_cursor_plugin.host.remembering import (
    good_signatures_remembered,
    silent_origins_remembered,
)
from stigmem_cursor_plugin.host.requesting import NoPageError, PageRequest
from stigmem_cursor_plugin.host.settings import Settings
from stigmem_cursor_plugin.host.sharing import SharedConnection, shared
from stigmem_cursor_plugin.host.watching import Watch, watching


@contextmanager
def open_session(settings: Settings, *, live: bool) -> Iterator["Session"]:
    """Open the database that *settings* name, and do what a node does before it pulls.

    *live* tells that the node runs, and works on the same database.

    Raises :class:`HostError` for a host or settings that it does not work with, and
    :class:`StoreError` for a database that the node has not been started on; both before
    anything is touched.
    """
    host = find_host()
    with ExitStack() as stack:
        stack.enter_context(starting.settings_for_the_run(host, settings))
        watch = stack.enter_context(watching(host.pulling))
        starting.check_settings(host)
        with starting.opening(host):
            connection = stack.enter_context(shared(host.database, host.settings, alone=not live))
            starting.check_database(host)
        starting.start_up(host)
        stack.enter_context(good_signatures_remembered())
        stack.enter_context(silent_origins_remembered())
        asker = stack.enter_context(Asker(partial(starting.make_client, host)))
        runner = stack.enter_context(asyncio.Runner())
        yield Session(host, connection, watch, asker, runner, live=live)


class Session:
    """The host's functions at work on one database."""

    storing = False
    """A page is being stored: whoever interrupts now would lose it."""

    def __init__(
        self,
        host: Host,
        connection: SharedConnection,
        watch: Watch,
        asker: Asker,
        runner: asyncio.Runner,
        *,
        live: bool,
    ) -> None:
        """Take what :func:`open_session` has opened."""
        self._host = host
        self._connection = connection
        self._watch = watch
        self._asker = asker
        self._runner = runner
        self._live = live

    def position(self, peer: Peer) -> str | None:
        """Return the position of *peer*, loaded as the node's loop loads it.

        Raises :class:`StoreError` where the database fails.
        """
        with self._database():
            position: str | None = self._host.pulling.load_cursor(peer.id)
            return position

    def advance(self, peer: Peer, position: str | None) -> bool:
        """Write *position* where the stored one is before it; tell whether it was.

        Raises :class:`StoreError` where the database fails.
        """
        try:
            self._begin_page()
            behind = is_served_before(self.position(peer), position)
            with self._database():
                if behind:
                    self._host.pulling.save_cursor(peer.id, position)
                self._keep()
        finally:
            self._drop_unless_kept()
        return behind

    def pull(self, peer: Peer, ask: Ask, before_storing: Callable[[], None]) -> PageOutcome:
        """Store a page with the position after it, or nothing of it.

        *before_storing* is called once the page is there, before the database is locked. Raises
        the :class:`CursorError` that it raises, and :class:`StoreError` where the database fails:
        nothing of the page is stored then.
        """
        self._watch.begin()
        # Read anew, as the node's loop does: the peer may have been revoked meanwhile.
        row = self._row(peer)
        if problem := _not_active(row):
            return problem
        lock = partial(self._lock, before_storing, row["id"], ask)
        request = PageRequest(self._host, self._asker, self._watch, row, ask, lock)
        try:
            pulled = self._host.pulling.pull_from_peer_once(row, request, ask.position)
            outcome = self._ended(request, self._runner.run(pulled))
        except NoPageError as found:
            return found.problem
        except CursorError:
            raise
        except Exception as error:  # noqa: BLE001  whatever the host raises on a fact
            return self._failed(request, error)
        else:
            if isinstance(outcome, PageProblem):
                # If the peer was revoked meanwhile, that is why the host took nothing from it.
                return _not_active(self._row(peer)) or outcome
            return outcome
        finally:
            self._drop_unless_kept()

    def _row(self, peer: Peer) -> dict[str, Any]:
        with self._database(), self._host.connection() as connection:
            found = connection.execute(_PEER, (peer.id,)).fetchone()
        return dict(as_mapping(found)) if found else {}

    def _ended(self, request: PageRequest, position: str | None) -> PageOutcome:
        page = request.page
        if page is None or not self._watch.finished:
            # The host made no request, or left before it had gone through the facts. It logged why.
            if page is not None:
                self._keep()
            return PageProblem(PageTrouble.DROPPED, self._watch.last_warning)
        rejected = tuple(self._watch.rejected)
        if (reason := refusal(page, request.ask, rejected)) is not None:
            return reason
        if position != request.ask.position:
            self._host.pulling.save_cursor(request.row["id"], position)
        seconds = self._keep()
        return Stored(page, self._watch.new, self._watch.held, rejected, seconds)

    def _failed(self, request: PageRequest, error: Exception) -> PageOutcome:
        fact_id, before = self._watch.fact, self._watch.before
        if request.page is None and not is_the_databases(error):
            return PageProblem(PageTrouble.NOT_ASKED, self._watch.reason(error))
        if request.page is None or fact_id is None or is_the_databases(error):
            raise self._database_failed(error) from error
        if before:
            before = list(request.page.fact_ids).index(fact_id)
        else:
            # Keep what the host wrote about the fact, such as an audit entry. Its loop does too.
            with self._database():
                self._keep()
        return Refused(UnstoredFact(fact_id, self._watch.reason(error)), before)

    @contextmanager
    def _database(self) -> Iterator[None]:
        """Raise as a :class:`StoreError` whatever the database raises in this block."""
        try:
            yield
        except Exception as error:
            raise self._database_failed(error) from error

    def _database_failed(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self._host.database_name()}: {self._watch.reason(error)}; the pages before it are "
            "stored; run this again to go on"
        )

    def _lock(self, before_storing: Callable[[], None], peer_id: str, ask: Ask) -> None:
        """Take the write lock for a page; raises NoPageError where its place has changed.

        Someone may have set the position back since the last page: an import empties it, if facts
        before it are missing. Beside a running node its own pulls set it back, and that is put
        right at the end.
        """
        before_storing()
        self._begin_page()
        if self._live:
            return
        with self._database():
            position = self._host.pulling.load_cursor(peer_id)
        if is_served_before(position, ask.position):
            raise NoPageError(PageProblem(PageTrouble.MOVED_BACK, position or "none"))

    def _begin_page(self) -> None:
        self.storing = True
        # Inside the host's request a driver's ValueError would be taken for a forbidden address,
        # and swallowed. So it becomes a StoreError here.
        with self._database():
            self._connection.begin_page()
        self._locked_at = time.monotonic()

    def _keep(self) -> float:
        self._connection.keep_page()
        self.storing = False
        return time.monotonic() - self._locked_at

    def _drop_unless_kept(self) -> None:
        if self.storing:
            self._connection.drop_page()
            self.storing = False


_PEER = "SELECT * FROM peers WHERE id = ?"


def _not_active(row: Mapping[str, Any]) -> PageProblem | None:
    if row.get("status") == ACTIVE:
        return None
    return PageProblem(PageTrouble.NOT_ACTIVE, row.get("status", "removed"))
