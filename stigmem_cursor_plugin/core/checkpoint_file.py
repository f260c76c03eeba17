"""A checkpoint file as it was found: the checkpoint in it, or why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from stigmem_cursor_plugin.core.checkpoint import Checkpoint


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
