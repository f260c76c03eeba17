"""The checkpoints that a command line names: files, directories and standard input."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stigmem_cursor_plugin.checkpoints import files
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: the checkpoint in it, or why it is not valid.

    ``directory`` is the directory that it was found in, None where the file itself was named.
    """

    name: str
    checkpoint: Checkpoint | None
    problems: Sequence[str] = ()
    directory: str | None = None


def read(names: Sequence[str]) -> Sequence[Source]:
    """Read every file named, and every checkpoint in a directory named.

    Raises :class:`CheckpointError` for a directory that cannot be read or holds no ``*.json``.
    """
    sources: list[Source] = []
    for name in names:
        if name == files.STANDARD_STREAM or not Path(name).is_dir():
            sources.append(_read(name))
        else:
            sources += _read_directory(name)
    return sources


def read_if_there(name: str) -> Checkpoint | None:
    """Return the checkpoint in a regular file, None where there is no valid one."""
    return _read(name).checkpoint if Path(name).is_file() else None


def own_rotated(directory: str, node_id: str | None) -> dict[str, Checkpoint]:
    """Return the valid checkpoints of this node that export has named, oldest first.

    Without a *node_id* none is known to be this node's.
    """
    found = [_read(str(path), directory) for path in files.rotated_in(directory)]
    return {
        item.name: item.checkpoint
        for item in found
        if item.checkpoint and node_id and item.checkpoint.node_id == node_id
    }


def _read_directory(directory: str) -> Sequence[Source]:
    paths = files.checkpoints_in(directory)
    if not paths:
        raise CheckpointError(f"no checkpoint (*.json) in directory {directory}")
    return [_read(str(path), directory) for path in paths]


def _read(name: str, directory: str | None = None) -> Source:
    try:
        return Source(name, files.read_checkpoint(name), directory=directory)
    except CheckpointError as error:
        return Source(name, None, error.messages, directory)
