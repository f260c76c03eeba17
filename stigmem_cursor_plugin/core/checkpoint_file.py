"""A checkpoint file as it was found: the checkpoint in it, or why there is none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from stigmem_cursor_plugin.core.checkpoint import Checkpoint

CLOCKS_DIFFER = timedelta(minutes=1)
"""How far ahead a checkpoint may be dated before a clock must be wrong."""


class Flaw(Enum):
    """Why a file gives no checkpoint."""

    UNREADABLE = "unreadable"
    """The file is there and cannot be read; it may be the only good copy."""
    INVALID = "invalid"
    """The file is no checkpoint, or a damaged one."""
    GONE = "gone"
    """The file was in its directory, and another program has removed it."""


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """A file that was read: the checkpoint in it, or why it gives none.

    ``directory`` is the directory that it was found in, None where the file itself was named.
    """

    name: str
    checkpoint: Checkpoint | None
    problems: Sequence[str] = ()
    flaw: Flaw | None = None
    directory: str | None = None


def is_from_the_future(checkpoint: Checkpoint, now: datetime) -> bool:
    """Tell whether a checkpoint is dated more than a minute ahead."""
    return checkpoint.time > now + CLOCKS_DIFFER


def newest_first(checkpoints: Iterable[Checkpoint], now: datetime) -> Sequence[Checkpoint]:
    """Return the checkpoints, newest first; one dated in the future counts as oldest.

    Of two with one time, the one that was named later counts as newer.
    """
    in_order = list(checkpoints)[::-1]
    return sorted(
        in_order,
        key=lambda checkpoint: (not is_from_the_future(checkpoint, now), checkpoint.time),
        reverse=True,
    )
