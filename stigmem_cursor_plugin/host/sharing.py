"""One connection for all that the host does to a page: a savepoint for each of its steps.

The host opens a connection for every step, four or five for each fact, and each commits or rolls
back by itself (``stigmem_node.db.db``, 0.9.0a1 to 0.9.0a12). Here a step is a savepoint in the
page's transaction, and means the same: what a step commits outlasts an error in it, what it does
not commit is undone, and nobody else sees any of it before the page is kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Self

from stigmem_cursor_plugin.host.dialects import for_many_pages, write_lock


class SharedConnection:
    """The host's connection, given to each step in turn; between pages a step is on its own."""

    def __init__(self, connection: Any, begin: str | None) -> None:
        """Take an open connection, and the statement that takes the write lock there."""
        self._connection = connection
        self._begin = begin
        self._in_page = False
        self._savepoints: list[bool] = []

    def __getattr__(self, name: str) -> Any:
        """Return what the host's connection has."""
        return getattr(self._connection, name)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """Run one statement, after a savepoint if it is the first in its step that may write."""
        if self._savepoints and not self._savepoints[-1] and not _only_reads(sql):
            self._set_savepoint()
        return self._connection.execute(sql, parameters)

    def _set_savepoint(self) -> None:
        # Between two steps one savepoint is always there: the page's first, or that of the step
        # before. The next step releases it and sets its own. If the database has ended the whole
        # transaction by itself, as on a full disk, there is none to release, and this raises. That
        # is wanted: a savepoint set now would begin a new transaction, and the step would be
        # committed without its page.
        if not any(self._savepoints):
            self._connection.execute("RELEASE SAVEPOINT step")
        self._connection.execute("SAVEPOINT step")
        self._savepoints[-1] = True

    def commit(self) -> None:
        """Make what the step has done outlast the step: with its page, or at once outside one."""
        if not self._in_page:
            self._connection.commit()
        elif self._savepoints[-1]:
            self._savepoints[-1] = False
            if any(self._savepoints):
                self._connection.execute("RELEASE SAVEPOINT step")

    def rollback(self) -> None:
        """Undo what the step has done since its last commit."""
        if not self._in_page:
            self._connection.rollback()
        elif self._savepoints[-1]:
            self._connection.execute("ROLLBACK TO SAVEPOINT step")

    def close(self) -> None:
        """Do nothing: others still use the connection."""

    def __enter__(self) -> Self:
        """Begin a step. No page begins or ends within one."""
        if self._in_page:
            self._savepoints.append(False)
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """End the step: committed, or rolled back on an error."""
        try:
            if error is None:
                self.commit()
        except Exception:
            self._undo_step()
            raise
        else:
            if error is not None and issubclass(error, Exception):
                self._undo_step()
        finally:
            if self._in_page:
                self._savepoints.pop()

    def _undo_step(self) -> None:
        # This fails if the database has ended the whole transaction. Then keep_page fails too.
        with suppress(Exception):
            self.rollback()
            self.commit()

    def begin_page(self) -> None:
        """Take the write lock; what follows is one transaction."""
        if self._begin:
            self._connection.execute(self._begin)
        self._connection.execute("SAVEPOINT step")
        self._in_page = True

    def keep_page(self) -> None:
        """Commit the page; raises the driver's error where its transaction is no longer whole."""
        self._connection.execute("RELEASE SAVEPOINT step")
        self._connection.commit()
        self._in_page = False

    def drop_page(self) -> None:
        """Roll the page back, if one has begun."""
        self._in_page = False
        self._savepoints.clear()
        self._connection.rollback()


@cache
def _only_reads(sql: str) -> bool:
    return sql.lstrip()[:6].upper() == "SELECT"


@contextmanager
def shared(database: Any, settings: Any, *, alone: bool) -> Iterator[SharedConnection]:
    """Give every step of the host one connection, opened as the host opens its own.

    *database* is the module ``stigmem_node.db``, whose ``make_backend`` every step calls; *alone*
    tells that no node runs on the database.
    """
    make_backend = database.make_backend
    with make_backend(_settings=settings).connection() as opened:
        for statement in for_many_pages(settings.storage_backend, alone=alone):
            opened.execute(statement)
        connection = SharedConnection(opened, write_lock(settings.storage_backend))
        database.make_backend = lambda *_, **__: _Backend(connection)
        try:
            yield connection
        finally:
            database.make_backend = make_backend


class _Backend:
    """What the host takes for a storage backend: each connection is a step on the shared one."""

    def __init__(self, connection: SharedConnection) -> None:
        self._connection = connection

    def connection(self) -> SharedConnection:
        return self._connection
