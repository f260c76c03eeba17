"""Watches the host at its work: which fact is in hand, what became of it, and why."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from stigmem_cursor_plugin.core.page import Cause, UnstoredFact, fact_id


class Watch(logging.Handler):
    """What became of the facts of one page.

    The host stores a fact or finds it there (``ingest_fact`` returns True or False), raises an
    error, or logs a warning and passes it over.
    """

    def __init__(self) -> None:
        """Begin with no page."""
        super().__init__(logging.WARNING)
        self.begin()

    def begin(self) -> None:
        """Forget the page before."""
        self.new = 0
        self.held = 0
        self.rejected: list[UnstoredFact] = []
        self.last_warning = ""
        self.fact: str | None = None
        self.finished = False
        self.before = 0
        self._reasons: list[str] = []
        self._done = True

    def emit(self, record: logging.LogRecord) -> None:
        """Take what the host logs as the reason for what it does."""
        self.last_warning = record.getMessage()
        self._reasons.append(self.last_warning)

    def response(self, response: Any, document: Any, passed_over: frozenset[str]) -> Any:
        """Return *response* with the facts of its *document* under watch.

        Those that are *passed_over* are left out.
        """
        facts = [entry for entry in document["facts"] if fact_id(entry) not in passed_over]
        shown = {**document, "facts": Facts(facts, self)}
        response.json = lambda: shown
        return response

    def take(self, entry: Any) -> None:
        """Note that the host turns to the next fact."""
        self._finish()
        self.before += self.fact is not None
        self.fact, self._done = fact_id(entry), False

    def end(self) -> None:
        """Note that the host is through with the page."""
        self._finish()
        self.fact, self.finished = None, True

    def _finish(self) -> None:
        if not self._done:
            reason = "; ".join(self._reasons)
            self.rejected.append(UnstoredFact(self.fact or "", reason, cause_of(reason)))
        self._reasons.clear()
        self._done = True

    def reason(self, error: Exception) -> str:
        """Return why the host raised *error* on the fact in hand: what it logged, what it says."""
        lines = str(error).strip().splitlines() or [""]
        return "; ".join([*self._reasons, f"{type(error).__name__}: {lines[0]}"])

    def counting(self, ingest_fact: Callable[..., bool]) -> Callable[..., bool]:
        """Return the host's function, with what it returns counted."""

        def ingest(*arguments: Any, **options: Any) -> bool:
            is_new = ingest_fact(*arguments, **options)
            self._done = True
            if is_new:
                self.new += 1
            else:
                self.held += 1
            return is_new

        return ingest


def cause_of(reason: str) -> Cause:
    """Return what a reason means that the host gives for a fact (0.9.0a11 and a12).

    ``origin_unresolvable`` is what its ``resolve_origin_key`` says of a peer and of an origin.
    """
    if "(relay_sender_not_trusted)" in reason:
        return Cause.RELAY_NOT_TRUSTED
    if "(origin_unresolvable)" not in reason:
        return Cause.FOR_GOOD
    return Cause.ORIGIN_UNKNOWN if "relayed origin" in reason else Cause.PEER_UNKNOWN


class Facts(list[Any]):
    """The facts of a page; going through them tells the watch where the host is."""

    def __init__(self, entries: Sequence[Any], watch: Watch) -> None:
        """Take the entries, and who is to be told."""
        super().__init__(entries)
        self._watch = watch

    def __iter__(self) -> Iterator[Any]:
        """Go through the facts."""
        for entry in super().__iter__():
            self._watch.take(entry)
            yield entry
        self._watch.end()


@contextmanager
def watching(pulling: Any) -> Iterator[Watch]:
    """Watch the host's pulling functions during a block; what it logs goes nowhere else."""
    watch = Watch()
    ingest_fact, logger = pulling.ingest_fact, logging.getLogger("stigmem")
    propagated = logger.propagate
    pulling.ingest_fact = watch.counting(ingest_fact)
    pulling.logger.addHandler(watch)
    logger.propagate = False
    quiet = logging.NullHandler()
    logger.addHandler(quiet)
    try:
        yield watch
    finally:
        pulling.ingest_fact = ingest_fact
        pulling.logger.removeHandler(watch)
        logger.removeHandler(quiet)
        logger.propagate = propagated
