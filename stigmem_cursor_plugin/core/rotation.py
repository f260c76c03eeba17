"""The names that checkpoints get, and their order.

Export names those in a directory ``cursors-20260502T183000Z.json``, and a second one in the same
second ``cursors-20260502T183000Z_001.json``. The names sort by time. Import names what undoes it
after the file that it reads: ``NAME.undo-20260502T183000Z.json``.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import PurePath

from stigmem_cursor_plugin.core.checkpoint import CLOCKS_DIFFER

_NAME = re.compile(r"cursors-([0-9]{8}T[0-9]{6})Z(_[0-9]{3})?\.json")
_UNDO_NAME = re.compile(r".*\.undo-[0-9]{8}T[0-9]{6}Z(_[0-9]{3})?\.json", re.DOTALL)


def name_at(now: datetime) -> str:
    """Return the name of a checkpoint that is written at *now* (aware, UTC)."""
    return f"cursors-{_compact(now)}.json"


def undo_name_at(stem: str, now: datetime) -> str:
    """Return the name of the undo checkpoint of an import from *stem*``.json`` at *now*."""
    return f"{stem}.undo-{_compact(now)}.json"


def _compact(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def numbered(stem: str, number: int) -> str:
    """Return the name of a further file (1 to 999) of one second; 0 is the first."""
    return f"{stem}_{number:03}.json" if number else f"{stem}.json"


def first_free(stem: str, names: Iterable[str]) -> int:
    """Return the number after those of the files *names* that are there for one second.

    Not a lower one that was removed meanwhile: the names sort in the order of writing.
    """
    form = re.compile(rf"{re.escape(stem)}(?:_([0-9]{{3}}))?\.json")
    used = filter(None, map(form.fullmatch, names))
    return max((int(found[1] or 0) + 1 for found in used), default=0)


def is_undo(name: str) -> bool:
    """Tell whether a file is named like an undo checkpoint."""
    return _UNDO_NAME.fullmatch(PurePath(name).name) is not None


def is_named_by_export(name: str) -> bool:
    """Tell whether export named a file: then the others of its directory count too."""
    return time_in(name) is not None


def source_of(name: str) -> str:
    """Return what to import from and export to: for a file that export named, its directory."""
    return str(PurePath(name).parent) if is_named_by_export(name) else name


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
