"""The names that export gives checkpoints in a directory, and their order.

``cursors-20260502T183000Z.json``, and ``cursors-20260502T183000Z_001.json`` for a second one in
the same second. The names sort by time.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import PurePath

from stigmem_cursor_plugin.core.checkpoint_file import CLOCKS_DIFFER

_NAME = re.compile(r"cursors-([0-9]{8}T[0-9]{6})Z(_[0-9]{3})?\.json")


def name_at(now: datetime) -> str:
    """Return the name of a checkpoint that is written at *now* (aware, UTC)."""
    return f"cursors-{compact(now)}.json"


def compact(moment: datetime) -> str:
    """Return a time (aware, UTC) as it stands in file names."""
    return f"{moment:%Y%m%dT%H%M%SZ}"


def time_in(name: str) -> datetime | None:
    """Return the time in the name of a file, None where export did not name it."""
    found = _NAME.fullmatch(PurePath(name).name)
    try:
        return datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def is_from_the_future(name: str, now: datetime) -> bool:
    """Tell whether a file is dated more than a minute ahead."""
    time = time_in(name)
    return time is not None and time > now + CLOCKS_DIFFER


def surplus(
    names: Sequence[str],
    keep: int,
    needed: Collection[str],
    now: datetime,
    *,
    force: bool,
) -> Sequence[str]:
    """Return which of these files to remove: all but the *keep* first, and those that are *needed*.

    A file that is dated in the future may be the newest, so only *force* removes it.
    """
    return [
        name
        for name in names[keep:]
        if name not in needed and (force or not is_from_the_future(name, now))
    ]


def newest_first(names: Iterable[str], now: datetime) -> Sequence[str]:
    """Return the files that export has named, newest first; those of the future count as oldest."""
    named = [name for name in names if time_in(name) is not None]
    return sorted(
        named,
        key=lambda name: (not is_from_the_future(name, now), PurePath(name).name),
        reverse=True,
    )
