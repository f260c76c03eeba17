"""Reading checkpoints, and writing files so that a crash leaves the old one or the new."""

import codecs
import errno
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from stigmem_cursor_plugin.checkpoints import fast, schema
from stigmem_cursor_plugin.checkpoints.document import digest_of
from stigmem_cursor_plugin.core.checkpoint import Checkpoint, from_document
from stigmem_cursor_plugin.errors import CheckpointError, RefusedError

STANDARD_STREAM = "-"
MOST_BYTES = 512 << 20
"""No checkpoint is larger (a cursor takes some 400 bytes); ``/dev/zero`` has no end."""


def read_checkpoint(name: str) -> Checkpoint:
    """Return the checkpoint in the file *name*, or on standard input where *name* is ``-``.

    Raises :class:`CheckpointError` with one message for each thing that is wrong: the file
    cannot be read, is not JSON, violates the schema, or does not match its digest.
    """
    title = input_title(name)
    data = _read(name, title)
    try:
        return fast.read(data) or _judge(_parse(data, title), title)
    except RecursionError as error:
        raise CheckpointError(f"{title}: nested too deep to be a checkpoint") from error


def _judge(document: Any, title: str) -> Checkpoint:
    found = schema.violations(document)
    if found:
        raise CheckpointError(*(f"{title}: {violation}" for violation in found))
    if "digest" in document and document["digest"] != digest_of(document):
        raise CheckpointError(
            f"{title}: digest does not match: the file was altered after it was written; "
            "take another checkpoint, or remove the digest field if the change was yours"
        )
    return from_document(document)


def _read(name: str, title: str) -> bytes:
    try:
        if name == STANDARD_STREAM:
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read checkpoint {title}: {reason(error)}") from error
    if len(data) > MOST_BYTES:
        raise CheckpointError(f"{title}: larger than any checkpoint ({MOST_BYTES >> 20} MiB)")
    return data


def _parse(data: bytes, title: str) -> Any:
    if data.startswith(codecs.BOM_UTF8):
        raise CheckpointError(f"{title}: begins with a byte order mark; save it without one")
    try:
        text = data.decode("utf-8")
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        if _SURROGATE_ESCAPE.search(text):
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{title}: not UTF-8 text (byte {error.start})") from error
    except UnicodeEncodeError as error:
        raise CheckpointError(f"{title}: a string holds half a surrogate pair") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise CheckpointError(f"{title}: not JSON: {error.msg} ({place})") from error
    except ValueError as error:
        raise CheckpointError(f"{title}: not JSON: {_first_line(error)}") from error
    return document


_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"field {twice!r} occurs twice in one object")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _first_line(error: Exception) -> str:
    return str(error).split(";", maxsplit=1)[0]


def input_title(name: str) -> str:
    """Return what messages call an input that the command line names."""
    return "standard input" if name == STANDARD_STREAM else name


def reason(error: Exception) -> str:
    """Return the operating system's words for an error, without the file name and number."""
    return getattr(error, "strerror", None) or str(error)


def checkpoints_in(directory: str) -> Sequence[Path]:
    """Return the ``*.json`` files of a directory by name, without the undo checkpoints.

    Raises :class:`CheckpointError` when the directory cannot be read.
    """
    try:
        paths = sorted(Path(directory).iterdir())
    except OSError as error:
        raise CheckpointError(f"cannot read directory {directory}: {reason(error)}") from error
    return [path for path in paths if path.suffix == ".json" and not _UNDO_NAME.search(path.name)]


def rotated_in(directory: str) -> Sequence[Path]:
    """Return the checkpoints of a directory that were named by export, oldest first."""
    return [path for path in checkpoints_in(directory) if _ROTATED_NAME.fullmatch(path.name)]


_UNDO_NAME = re.compile(r"\.undo-[0-9]{8}T[0-9]{6}Z(_[0-9]{3})?\.json$")
_ROTATED_NAME = re.compile(r"cursors-[0-9]{8}T[0-9]{6}Z(_[0-9]{3})?\.json")


def write(name: str, pieces: Iterable[str], *, mode: int = 0o600) -> None:
    """Write text in pieces to the file *name*, so that a crash leaves the old or the new, whole.

    A temporary file beside it (of *mode* from birth), fsync, rename, fsync of the directory.
    What is not a regular file, such as ``/dev/stdout`` or a FIFO, is written to as it is.
    Raises :class:`RefusedError` when it cannot be written, and the old file is untouched then;
    or when only the last of these steps failed, and says so.
    """
    path = Path(name)
    with _explained(f"cannot write {name}"):
        if _is_stream(path):
            with path.open("w", encoding="utf-8") as stream:
                stream.writelines(pieces)
            return
        with _temporary(path, pieces, mode) as temporary:
            temporary.rename(path)
    _sync_directory(path)


def write_rotated(directory: str, now: datetime, pieces: Iterable[str]) -> str:
    """Write text in pieces to a new file in *directory*, named by the time.

    Returns its name. The names sort by time, and two exports in one second do not collide. Raises
    :class:`RefusedError` when it cannot be written.
    """
    return _write_new(Path(directory, f"cursors-{_compact(now)}.json"), pieces)


def write_undo(name: str, now: datetime, pieces: Iterable[str]) -> str:
    """Write text in pieces to a new file beside the file, or in the directory, *name*.

    Returns its name. Raises :class:`RefusedError` when it cannot be written.
    """
    path = Path("cursors.json" if name == STANDARD_STREAM else name)
    if path.is_dir():
        path /= "cursors.json"
    return _write_new(path.with_name(f"{path.stem}.undo-{_compact(now)}.json"), pieces)


def _compact(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _write_new(path: Path, pieces: Iterable[str]) -> str:
    """Write a file that is not there yet, under a name as close to *path* as is free."""
    stem = path.stem
    with _explained(f"cannot write {path}"), _temporary(path, pieces) as temporary:
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
def _temporary(path: Path, pieces: Iterable[str], mode: int = 0o600) -> Iterator[Path]:
    """Yield a new file beside *path* that holds *pieces*; it is removed unless it was renamed."""
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o600)
        try:
            os.fchmod(descriptor, mode)
            for piece in pieces:
                _write_all(descriptor, piece.encode())
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
