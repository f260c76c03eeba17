"""Writing files so that a crash leaves the old one or the new, whole."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from stigmem_cursor_plugin.access import why
from stigmem_cursor_plugin.checkpoints.places import Place, descriptor, place_of
from stigmem_cursor_plugin.checkpoints.replacing import Content, refuse_to_lose
from stigmem_cursor_plugin.checkpoints.temporary import new_file, write_all
from stigmem_cursor_plugin.core import rotation
from stigmem_cursor_plugin.errors import RefusedError
from stigmem_cursor_plugin.terminal import STANDARD_STREAM


def write(name: str, text: str, content: Content, *, mode: int = 0o600) -> None:
    """Write *text* to the file *name*, so that a crash leaves the old or the new, whole.

    In these steps: write a temporary file beside it, created with *mode*; sync it; rename it to
    *name*; sync the directory. A link is replaced, not followed. What is not a regular file, such
    as ``/dev/stdout`` or a FIFO, is written to as it is.

    Raises :class:`RefusedError` if the file cannot be written, or if it holds something else than
    *content*: the old file is as it was then. Also raises it if only the directory could not be
    synced: the new file is there then, and the message says so.
    """
    path = Path(name)
    with _explained(f"cannot write {name}"):
        if place_of(name) is Place.STREAM:
            _write_stream(name, text)
            return
        with new_file(path.parent, text, mode) as temporary:
            refuse_to_lose(name, content)
            temporary.rename(path)
    _sync_directory(path)


def _write_stream(name: str, text: str) -> None:
    number = descriptor(name)
    # Opened by its name, a file that the shell appends to would be truncated.
    opened = os.dup(number) if number is not None else os.open(name, os.O_WRONLY | os.O_CLOEXEC)
    try:
        write_all(opened, text.encode())
    finally:
        os.close(opened)


def refuse_other(name: str, content: Content) -> None:
    """Raise :class:`RefusedError` where *name* holds something else, or cannot be read."""
    with _explained(f"cannot write {name}"):
        refuse_to_lose(name, content)


def is_directory(name: str) -> bool:
    """Tell whether *name* is a directory; raises :class:`RefusedError` where it cannot be told."""
    with _explained(f"cannot write {name}"):
        return place_of(name) is Place.DIRECTORY


def is_file(name: str) -> bool:
    """Tell whether *name* is a regular file; raises :class:`RefusedError` likewise."""
    with _explained(f"cannot write {name}"):
        return place_of(name) is Place.FILE


def write_rotated(directory: str, now: datetime, text: str) -> str:
    """Write *text* to a new file in *directory*, named by the time.

    Returns its name. The names sort by time, and two exports in one second do not collide. Raises
    :class:`RefusedError` when it cannot be written.
    """
    return _write_new(Path(directory, rotation.name_at(now)), text)


def write_undo(name: str, now: datetime, text: str) -> str:
    """Write *text* to a new file beside the file, or in the directory, *name*.

    In the working directory where *name* is neither. Returns its name. Raises
    :class:`RefusedError` when it cannot be written.
    """
    try:
        path = _beside(name)
        return _write_new(path.with_name(rotation.undo_name_at(path.stem, now)), text)
    except RefusedError as error:
        raise RefusedError(
            *(
                f"{line}; nothing was changed; --no-undo imports without an undo checkpoint"
                for line in error.messages
            )
        ) from error


def _beside(name: str) -> Path:
    """Return the file that an undo checkpoint is named after."""
    with _explained(f"cannot write beside {name}"):
        place = Place.STREAM if name == STANDARD_STREAM else place_of(name)
    if place is Place.FILE:
        return Path(name)
    return Path(name if place is Place.DIRECTORY else "", "cursors.json")


def _write_new(path: Path, text: str) -> str:
    """Write a file that is not there yet, as *path* or with a number after it."""
    stem = path.stem
    with _explained(f"cannot write {path}"), new_file(path.parent, text) as temporary:
        there = [file.name for file in path.parent.iterdir()]
        for number in range(rotation.first_free(stem, there), 1000):
            path = path.with_name(rotation.numbered(stem, number))
            try:
                _move_to_new(temporary, path)
                break
            except FileExistsError:
                continue
        else:
            raise FileExistsError(errno.EEXIST, "a thousand files have been written this second")
    _sync_directory(path)
    return str(path)


def _move_to_new(temporary: Path, path: Path) -> None:
    try:
        # Unlike a rename, a link fails where another process was quicker.
        path.hardlink_to(temporary)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        # A file system without links, as on a memory stick or a network share.
        if path.exists():
            raise FileExistsError(errno.EEXIST, "File exists") from error
        temporary.rename(path)


def remove(name: str) -> None:
    """Remove a file; raises :class:`RefusedError` when it cannot be removed."""
    with _explained(f"cannot remove {name}"):
        Path(name).unlink(missing_ok=True)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise RefusedError(f"{what}: {why(error)}") from error


def _sync_directory(written: Path) -> None:
    """Make the name of a file that was written last through a power failure."""
    with _explained(f"{written} was written, but may not outlast a power failure"):
        opened = os.open(written.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some file systems cannot sync a directory
                raise
        finally:
            os.close(opened)
