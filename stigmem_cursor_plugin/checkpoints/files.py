"""Writing files so that a crash leaves the old one or the new, whole."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from stigmem_cursor_plugin.core import rotation
from stigmem_cursor_plugin.errors import RefusedError, reason
from stigmem_cursor_plugin.terminal import STANDARD_STREAM


def write(name: str, text: str, *, mode: int = 0o600) -> None:
    """Write *text* to the file *name*, so that a crash leaves the old or the new, whole.

    A temporary file beside it (of *mode* from birth), fsync, rename, fsync of the directory.
    What is not a regular file, such as ``/dev/stdout`` or a FIFO, is written to as it is.
    Raises :class:`RefusedError` when it cannot be written, and the old file is untouched then;
    or when only the last of these steps failed, and says so.
    """
    path = Path(name)
    with _explained(f"cannot write {name}"):
        if _is_stream(path):
            with path.open("w", encoding="utf-8") as stream:
                stream.write(text)
            return
        with _temporary(path, text, mode) as temporary:
            temporary.rename(path)
    _sync_directory(path)


def write_rotated(directory: str, now: datetime, text: str) -> str:
    """Write *text* to a new file in *directory*, named by the time.

    Returns its name. The names sort by time, and two exports in one second do not collide. Raises
    :class:`RefusedError` when it cannot be written.
    """
    return _write_new(Path(directory, rotation.name_at(now)), text)


def write_undo(name: str, now: datetime, text: str) -> str:
    """Write *text* to a new file beside the file, or in the directory, *name*.

    Returns its name. Raises :class:`RefusedError` when it cannot be written.
    """
    path = Path("cursors.json" if name == STANDARD_STREAM else name)
    if path.is_dir():
        path /= "cursors.json"
    return _write_new(path.with_name(f"{path.stem}.undo-{rotation.compact(now)}.json"), text)


def _write_new(path: Path, text: str) -> str:
    """Write a file that is not there yet, under a name as close to *path* as is free."""
    stem = path.stem
    with _explained(f"cannot write {path}"), _temporary(path, text) as temporary:
        for number in range(1, 1000):
            try:
                _move_to_new(temporary, path)
                break
            except FileExistsError:
                path = path.with_name(f"{stem}_{number:03}.json")
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
        raise RefusedError(f"{what}: {reason(error)}") from error


def _is_stream(path: Path) -> bool:
    if not path.exists():
        return False
    # /dev/stdout leads to a regular file where the shell sent it to one.
    device = path.is_symlink() and path.parts[1:2] in (("dev",), ("proc",))
    return device or not path.is_file()


@contextmanager
def _temporary(path: Path, text: str, mode: int = 0o600) -> Iterator[Path]:
    """Yield a new file beside *path* that holds *text*; it is removed unless it was renamed."""
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o600)
        try:
            os.fchmod(descriptor, mode)
            _write_all(descriptor, text.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_directory(written: Path) -> None:
    """Make the name of a file that was written last through a power failure."""
    with _explained(f"{written} was written, but may not outlast a power failure"):
        descriptor = os.open(written.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some file systems cannot sync a directory
                raise
        finally:
            os.close(descriptor)
