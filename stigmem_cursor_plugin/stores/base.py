"""The small interface to a node's database.

A store opens a connection, begins a transaction on it and hands it to
:class:`stigmem_cursor_plugin.stores.transaction.SQLTransaction`; :class:`Dialect` holds what
databases do not agree on.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from stigmem_cursor_plugin.core.snapshot import (
    NO_QUESTIONS,
    Cursor,
    Questions,
    Snapshot,
)
from stigmem_cursor_plugin.errors import StoreError

LOCK_TIMEOUT = 5
"""Seconds to wait for another process to release the database."""


class Connection(Protocol):
    """The part of SQLite's interface that every backend's connection has."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Any:
        """Run one statement with ``?`` for its parameters; the result iterates over its rows.

        Raises :class:`ConstraintError` or the driver's own error, which the store explains.
        """


class ConstraintError(Exception):
    """The database refused rows because of a constraint."""


def locked(name: str) -> str:
    """Say that another process holds the database *name*, and what to do."""
    return (
        f"{name} has been locked by another process for more than {LOCK_TIMEOUT} s; "
        "stop the node, then run this again"
    )


def naming(name: str, error: StoreError) -> StoreError:
    """Return *error* with the database *name* in each of its messages."""
    named = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return StoreError(*(m if named.search(m) else f"{name}: {m}" for m in error.messages))


class Transaction(Protocol):
    """A transaction, opened before the first read."""

    def node_id(self) -> str | None:
        """Return the node id that the database says it is of."""

    def read(self, questions: Questions = NO_QUESTIONS) -> Snapshot:
        """Return what the database holds, with the answers to *questions*.

        Raises :class:`StoreError` where the table ``peers`` is missing.
        """

    def apply(self, cursors: Sequence[Cursor]) -> None:
        """Write *cursors*, recreating the table where it is missing, and read them back.

        Raises :class:`StoreError` when the database refuses them or gives back others.
        """


class Store(Protocol):
    """A node's database; every method raises :class:`StoreError` when it cannot be used."""

    name: str

    def transaction(self, *, read_only: bool = False) -> AbstractContextManager[Transaction]:
        """Hold the write lock for a block: committed at its end, rolled back on an error.

        With *read_only*, see one state of the database and write nothing.
        """


@dataclass(frozen=True, slots=True)
class Dialect:
    """The SQL in which databases differ.

    ``columns`` returns the names of all tables and their columns; ``received`` the node id of
    every peer that facts came from, their number, and the id of the one stored last; ``stored``
    the number of all facts, and the id of the last that notes a receipt: the host writes one with
    each fact that it receives, and no peer ever serves it, as it may serve this node's own facts
    (stigmem-node 0.9.0a1 to 0.9.0a12). Where there is none, it is the id of the last fact.
    """

    columns: str
    received: str
    stored: str
