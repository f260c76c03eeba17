"""Backups of a node's database, taken while the node runs."""

import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

KEPT_BACKUPS = 3


def take(database: Path, directory: Path) -> None:
    """Take a backup, unless there is no whole database now, and keep the newest few."""
    # The time in the name sorts them. Half of one never has the name of a whole one.
    half, whole = directory / "half", directory / f"{time.time_ns()}.db"
    with suppress(sqlite3.Error, OSError):
        with closing(read_only(database)) as source, closing(sqlite3.connect(half)) as copy:
            source.backup(copy)
        half.rename(whole)
    half.unlink(missing_ok=True)
    for old in newest_first(directory)[KEPT_BACKUPS:]:
        old.unlink(missing_ok=True)


def newest_first(directory: Path) -> list[Path]:
    """Return the backups in a directory."""
    return sorted(directory.glob("*.db"), reverse=True)


def read_only(database: Path) -> sqlite3.Connection:
    """Open a database that must exist; raises sqlite3.Error."""
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
