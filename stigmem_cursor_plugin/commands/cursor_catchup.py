"""``cursor-catchup``: fetch what is missing now, in minutes instead of hours."""

import json
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from stigmem_cursor_plugin.commands.interrupting import Interrupted, interruptible
from stigmem_cursor_plugin.commands.running_node import RunningNode
from stigmem_cursor_plugin.core import catchup, choice
from stigmem_cursor_plugin.core.catchup import Ending, PageOutcome, Progress, Result, Timing
from stigmem_cursor_plugin.core.page import Ask
from stigmem_cursor_plugin.core.snapshot import Peer, Snapshot
from stigmem_cursor_plugin.errors import CursorError, HostError, StoreError
from stigmem_cursor_plugin.host.settings import read_settings
from stigmem_cursor_plugin.reports import catchup as report
from stigmem_cursor_plugin.reports.progress import Meter
from stigmem_cursor_plugin.stores import open_store
from stigmem_cursor_plugin.stores.base import Store
from stigmem_cursor_plugin.terminal import need_output, tell, tell_some, write_result

if TYPE_CHECKING:
    from stigmem_cursor_plugin.host.pulling import Session

Pull = Callable[[Peer, Ask], PageOutcome]
"""Has the host store a page."""


def run(arguments: Namespace) -> int:
    """Catch up with every peer asked for; exit status 0, or 3 if one is not caught up."""
    if arguments.json:
        need_output()
    catch_up = _CatchUp(arguments)
    try:
        catch_up.run()
    except CursorError as error:
        catch_up.report(Ending.FAILED, error.messages)
        raise
    except Exception as error:
        catch_up.report(Ending.FAILED, [f"{type(error).__name__}: {error}"])
        raise
    except Interrupted as error:
        catch_up.report(Ending.INTERRUPTED)
        return error.exit_status
    ending = catchup.ending(catch_up.results.values())
    catch_up.report(ending)
    return 0 if ending is Ending.COMPLETE else 3


class _CatchUp:
    """One run of the command, and what has come of it so far."""

    def __init__(self, arguments: Namespace) -> None:
        self.results: dict[str, Result] = {}
        self._arguments = arguments
        self._began = time.monotonic()
        self._slowest = Timing()
        self._meter = Meter()

    def run(self) -> None:
        arguments = self._arguments
        settings = read_settings(arguments.db)
        store = open_store(settings)
        # Before the host looks at the database: it would create one that is not there.
        with store.transaction(read_only=True) as reading:
            snapshot = reading.read()
        node = RunningNode(settings, asked=not (arguments.assume_stopped or arguments.live))
        node.check(snapshot.node_id)
        peers = _chosen(snapshot, arguments.peers)
        # The host's code takes a second to import.
        from stigmem_cursor_plugin.host.pulling import open_session  # noqa: PLC0415

        with (
            open_session(settings, live=arguments.live) as session,
            interruptible(lambda: session.storing) as check,
        ):
            # Now that the host has found its settings valid.
            if arguments.live and settings.federation_relay_enabled:
                raise HostError(report.RELAYS)
            if snapshot.cursors is None:
                _create_table(store)
            tell(report.ANY_AGE)
            for peer in peers:
                self.results[peer.id] = self._begin(peer, session.position(peer))
            # Again for each page: someone may start the node meanwhile.
            pull = partial(session.pull, before_storing=partial(node.check, snapshot.node_id))
            self._catch_up_all(pull, check)
            if arguments.live:
                self._settle(session, check)

    def _begin(self, peer: Peer, position: str | None) -> Result:
        arguments = self._arguments
        progress = catchup.begin(
            position,
            live=arguments.live,
            sparing=bool(arguments.pause),
            skip_refused=arguments.skip_refused,
        )
        return Result(peer, position, progress)

    def _catch_up_all(self, pull: Pull, check: Callable[[], None]) -> None:
        """Go on with another peer while one is in trouble; come back to it when its wait is over.

        Each peer is worked on until it has ended or must be waited for.
        """
        due = dict.fromkeys(self.results, 0.0)
        while due:
            peer_id = min(due, key=lambda peer_id: due[peer_id])
            time.sleep(max(0.0, due[peer_id] - time.monotonic()))
            progress = self._catch_up(pull, self.results[peer_id], check)
            due[peer_id] = time.monotonic() + progress.wait
            if progress.ended:
                del due[peer_id]

    def _catch_up(self, pull: Pull, result: Result, check: Callable[[], None]) -> Progress:
        progress, peer = result.progress, result.peer
        live, pause = self._arguments.live, self._arguments.pause
        with self._meter.of(peer, progress) as show:
            while True:
                asked = time.monotonic()
                outcome = pull(peer, progress.ask)
                self._slowest = self._slowest.with_page(outcome, time.monotonic() - asked)
                progress = catchup.after(progress, outcome)
                self.results[peer.id] = replace(result, progress=progress)
                check()
                show(progress)
                if progress.ended or progress.wait:
                    return progress
                time.sleep(catchup.rest(outcome, live=live, pause=pause))

    def _settle(self, session: "Session", check: Callable[[], None]) -> None:
        """Put back what the node's own loop, begun before the end, sets back after it."""
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < self._slowest.settling:
            for result in self.results.values():
                if session.advance(result.peer, result.progress.position):
                    quiet_since = time.monotonic()
                check()
            time.sleep(0.25)

    def report(self, ending: Ending, errors: Sequence[str] = ()) -> None:
        """Say what has come of it, on standard error, and with ``--json`` on standard output."""
        results = list(self.results.values())
        seconds = time.monotonic() - self._began
        for group in report.groups(results):
            tell_some(group.lines, group.total)
        if results or not errors:
            tell(report.summary(results, seconds, ending))
        if self._arguments.json:
            document = report.document(results, seconds, ending, errors)
            write_result(json.dumps(document, indent=2))


def _chosen(snapshot: Snapshot, names: Sequence[str]) -> Sequence[Peer]:
    found = choice.choose(snapshot.peers, names)
    if messages := report.not_chosen(found):
        raise StoreError(*messages)
    return found.peers


def _create_table(store: Store) -> None:
    tell(report.TABLE_MISSING)
    with store.transaction() as transaction:
        transaction.apply([])
