"""Reading the checkpoints that a command line names: files, directories and standard input."""

import codecs
import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from stigmem_cursor_plugin.access import why
from stigmem_cursor_plugin.checkpoints import schema
from stigmem_cursor_plugin.checkpoints.document import digest_of, from_document
from stigmem_cursor_plugin.checkpoints.places import Place, destination, place_of
from stigmem_cursor_plugin.checkpoints.replacing import MOST_BYTES
from stigmem_cursor_plugin.core import rotation
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.checkpoint_file import CheckpointFile, Flaw
from stigmem_cursor_plugin.errors import CheckpointError
from stigmem_cursor_plugin.terminal import STANDARD_STREAM, title_of


def read(names: Sequence[str]) -> Sequence[CheckpointFile]:
    """Read every file named, and every checkpoint in a directory named.

    Raises :class:`CheckpointError` for a directory that cannot be read or holds no ``*.json``.
    """
    found: list[CheckpointFile] = []
    for name in names:
        if _is_directory(name):
            found += _read_directory(name)
        else:
            found.append(read_file(name))
    return found


def _is_directory(name: str) -> bool:
    try:
        return name != STANDARD_STREAM and place_of(name) is Place.DIRECTORY
    except OSError:
        return False  # reading it will say what is wrong


def _read_directory(directory: str) -> Sequence[CheckpointFile]:
    for _ in range(_AGAIN):
        found = [read_found(str(path), directory) for path in checkpoints_in(directory)]
        if all(file.flaw is not Flaw.GONE for file in found):
            break  # else the newest may have come since
    files = [file for file in found if file.flaw is not Flaw.GONE]
    if not files:
        raise CheckpointError(f"no checkpoint (*.json) in directory {directory}")
    return files


_AGAIN = 5
"""How often a directory is read where another export removes files of it meanwhile."""


def read_found(name: str, directory: str | None = None) -> CheckpointFile:
    """Read a file that was found in a directory: not a FIFO, which may have no writer.

    It may be gone: another export may have removed an old checkpoint since.
    """
    with suppress(OSError):  # reading it will say what is wrong
        if place_of(name) in (Place.STREAM, Place.DISK, Place.DIRECTORY):
            problems = [f"{name} is not a regular file"]
            return CheckpointFile(name, None, problems, Flaw.INVALID, directory)
    file = read_file(name, directory)
    if file.flaw is Flaw.UNREADABLE and not os.path.lexists(name):
        return CheckpointFile(name, None, flaw=Flaw.GONE, directory=directory)
    return file


def read_file(name: str, directory: str | None = None) -> CheckpointFile:
    """Read one file, of *directory* where it was found in one; what is wrong with it is told."""
    try:
        checkpoint = read_checkpoint(name)
    except UnreadableError as error:
        return CheckpointFile(name, None, error.messages, Flaw.UNREADABLE, directory)
    except CheckpointError as error:
        return CheckpointFile(name, None, error.messages, Flaw.INVALID, directory)
    return CheckpointFile(name, checkpoint, directory=directory)


def checkpoints_in(directory: str) -> Sequence[Path]:
    """Return the ``*.json`` files of a directory by name, without the undo checkpoints.

    Raises :class:`CheckpointError` when the directory cannot be read.
    """
    try:
        paths = sorted(Path(directory).iterdir())
    except OSError as error:
        raise CheckpointError(f"cannot read directory {directory}: {why(error)}") from error
    return [path for path in paths if path.suffix == ".json" and not rotation.is_undo(path.name)]


def is_written_by(node_id: str, name: str) -> bool:
    """Tell by its last lines whether export wrote a file of this node.

    There may be hundreds in a directory, of half a megabyte each: they are not read as a whole.
    """
    line = f'\n  "node_id": {json.dumps(node_id)},\n'.encode()
    try:
        if place_of(name) is not Place.FILE:
            return False
        with Path(name).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_LINES))
            return line in file.read()
    except OSError:
        return False


_LAST_LINES = 8192


class UnreadableError(CheckpointError):
    """The file is there, and cannot be read."""


def read_checkpoint(name: str) -> Checkpoint:
    """Return the checkpoint in the file *name*, or on standard input where *name* is ``-``.

    Raises :class:`CheckpointError` with one message for each thing that is wrong: the file
    cannot be read, is not JSON, violates the schema, or does not match its digest.
    """
    title = title_of(name)
    try:
        return _judge(_parse(_read(name, title), title), name)
    except RecursionError as error:
        raise CheckpointError(f"{title}: nested too deep to be a checkpoint") from error


def _judge(document: Any, name: str) -> Checkpoint:
    title = title_of(name)
    found = schema.violations(document)
    if found:
        raise CheckpointError(*(f"{title}: {violation}" for violation in found))
    if "digest" in document and document["digest"] != digest_of(document):
        raise CheckpointError(
            f"{title}: digest does not match: the file was altered after it was written; "
            "use another checkpoint, or delete the digest field if you made the change"
        )
    return from_document(document, name)


def _read(name: str, title: str) -> bytes:
    try:
        if name == STANDARD_STREAM:
            if sys.stdin is None:
                raise UnreadableError(f"cannot read checkpoint {title}: it is closed")
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        remedy = "; remove the link, or put the file back" if Path(name).is_symlink() else ""
        raise UnreadableError(
            f"cannot read checkpoint {destination(title)}: {why(error)}{remedy}"
        ) from error
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot read checkpoint {title}: {why(error)}") from error
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
        raise CheckpointError(f"{title}: not JSON: {_without_advice(error)}") from error
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


def _without_advice(error: Exception) -> str:
    return str(error).split(";", maxsplit=1)[0]
