"""What differs between the databases that a node can have, seen through the host's connections."""

import re
from collections.abc import Mapping, Sequence
from typing import Any


def write_lock(storage_backend: str) -> str | None:
    """Return the statement that takes the write lock, None where none is needed."""
    # PostgreSQL begins by itself, and its writers do not wait for each other.
    return None if storage_backend == "postgres" else "BEGIN IMMEDIATE"


def for_many_pages(storage_backend: str, *, alone: bool) -> Sequence[str]:
    """Return the statements that make a connection quick at storing page after page.

    SQLite would write what undoes a statement into a temporary file, for each fact, and a page's
    changes to disk before it is whole: its cache has 2 MB by default, and gets 32 MB here. It would
    also copy its log into the database after every 4 MB, which is less than a page of facts writes.
    With nobody else there it does so after 64 MB; the writes of a running node would wait for that.
    """
    if storage_backend != "sqlite":
        return ()
    statements = ("PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -32768")
    return (*statements, "PRAGMA wal_autocheckpoint = 16384") if alone else statements


def as_mapping(row: Any) -> Mapping[str, Any]:
    """Return a row as the host's functions take it."""
    return {name: row[name] for name in _columns(row)}


def _columns(row: Any) -> Sequence[str]:
    # libSQL's rows have no method for it, but each row is made of a dictionary.
    return list(row.keys()) if hasattr(row, "keys") else list(row._data)


def is_the_databases(error: Exception) -> bool:
    """Tell whether *error* says that the database failed, rather than that a fact is bad.

    Each driver has classes of its own, named alike; libSQL's errors are all ValueError.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"OperationalError", "InternalError", "NotSupportedError"}:
        return True
    if "IntegrityError" in names or "DataError" in names:
        return False
    if "ProgrammingError" in names or type(error).__name__ == "DatabaseError":
        return "binding" not in str(error)
    return type(error) is ValueError and bool(_LIBSQL_FAILURE.search(str(error)))


_LIBSQL_FAILURE = re.compile(r"database|disk|I/O|no such (table|column|savepoint)|SQL|Hrana")
