"""A file that is there and is not ours is never replaced.

See docs/guarantees.md, "A mistake on the command line loses nothing".
"""

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stigmem_cursor_plugin.checkpoints.places import Place, destination, place_of
from stigmem_cursor_plugin.errors import RefusedError

MOST_BYTES = 512 << 20
"""No checkpoint is larger (a cursor takes some 400 bytes); ``/dev/zero`` has no end."""

_BEGINNING = b'{"checkpoint_timestamp":'
_ENOUGH = 4096


@dataclass(frozen=True, slots=True)
class Content:
    """What a file must hold to be replaced by another of its kind: *title*, or nothing at all."""

    title: str
    recognises: Callable[[bytes], bool]


def is_checkpoint(data: bytes) -> bool:
    """Tell whether *data* is a checkpoint, though it may be damaged, or the beginning of one."""
    data = data.removeprefix(codecs.BOM_UTF8)
    begins = b"".join(data[:_ENOUGH].split())
    if begins.startswith(_BEGINNING):
        return True
    if len(data) <= _ENOUGH and _BEGINNING.startswith(begins):
        return True
    if not begins.startswith(b"{"):
        return False
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "checkpoint_timestamp" in document


def has_positions(name: str) -> bool:
    """Tell whether a file is like a checkpoint with a position, valid or not, and not cut short."""
    try:
        data = Path(name).read_bytes() if place_of(name) is Place.FILE else b""
    except OSError:
        return False
    text = data.decode("utf-8-sig", "replace")
    return _POSITION.search(text) is not None and not _is_cut_short(text)


def _is_cut_short(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        # It ends where the error is. Anything else can be mended.
        return error.msg != "Extra data" and not text[error.pos :].rstrip().endswith("}")
    except RecursionError:
        return False
    return False


_POSITION = re.compile(r'"cursor"\s*:\s*"')


def is_metrics(data: bytes) -> bool:
    """Tell whether *data* holds this project's metrics, and nothing else."""
    return all(_METRICS_LINE.match(line) for line in data.splitlines())


_METRICS_LINE = re.compile(rb"(# (HELP|TYPE) )?stigmem_cursor_|\s*$")

CHECKPOINT = Content("a checkpoint", is_checkpoint)
METRICS = Content("metrics", is_metrics)
_PARTS = ("-wal", "-shm", "-journal")
"""What SQLite adds to a database's name: the log may be empty while a node writes to it."""


def refuse_to_lose(name: str, content: Content) -> None:
    """Raise :class:`RefusedError` where writing *content* to *name* would lose something else.

    Raises :class:`OSError` where it cannot be seen what is there.
    """
    if name.endswith(_PARTS):
        raise RefusedError(
            f"{name} has the name of a part of a SQLite database; nothing was written; name "
            "another file"
        )
    place = place_of(name)
    if name.endswith("/") and place is not Place.DIRECTORY:
        raise RefusedError(f"no directory {name}")
    match place:
        case Place.DISK:
            raise RefusedError(f"{name} is a disk; nothing was written; name a file")
        case Place.LINK_TO_NOTHING:
            raise RefusedError(
                f"{destination(name)} leads nowhere; nothing was written; name another file"
            )
        case Place.FILE:
            _refuse_file(name, content)


def _refuse_file(name: str, content: Content) -> None:
    with Path(name).open("rb") as file:
        data = file.read(_ENOUGH)
        if _may_be_ours(data):
            data += file.read(MOST_BYTES)
    if data.strip() and not content.recognises(data):
        raise RefusedError(
            f"{destination(name)} holds {_described(data)}, not {content.title}; nothing "
            "was written; name another file"
        )


def _may_be_ours(beginning: bytes) -> bool:
    """Tell whether to read on; a database may be larger than the memory."""
    return beginning.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"", b"{", b"#", b"s")


def _described(data: bytes) -> str:
    if data.startswith(b"SQLite format 3\0"):
        return "a SQLite database"
    for content in (CHECKPOINT, METRICS):
        if content.recognises(data):
            return content.title
    return "binary data" if b"\0" in data else "other text"
