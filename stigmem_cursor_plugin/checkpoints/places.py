"""What stands at a name that the command line gives: nothing, a file, a directory or a stream."""

import os
import re
import stat
from enum import Enum
from pathlib import Path


class Place(Enum):
    """What a name leads to."""

    NOTHING = "nothing"
    FILE = "file"
    DIRECTORY = "directory"
    STREAM = "stream"
    """A terminal, pipe, FIFO, socket or ``/dev/null``: it holds nothing that could be lost."""
    LINK_TO_NOTHING = "link to nothing"
    DISK = "disk"


def place_of(name: str) -> Place:
    """Tell what the name leads to; raises :class:`OSError` where that cannot be seen.

    ``pathlib`` says of some of these errors that there is nothing, and which ones depends on the
    version of Python (3.11 to 3.14).
    """
    if descriptor(name) is not None:
        # /dev/stdout leads to a regular file where the shell sent it to one.
        return Place.STREAM
    try:
        mode = Path(name).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return Place.LINK_TO_NOTHING if Path(name).is_symlink() else Place.NOTHING
    if stat.S_ISDIR(mode):
        return Place.DIRECTORY
    if stat.S_ISBLK(mode):
        return Place.DISK
    return Place.FILE if stat.S_ISREG(mode) else Place.STREAM


def descriptor(name: str) -> int | None:
    """Return the file descriptor that a name such as ``/dev/stdout`` stands for."""
    directory, last = os.path.split(name)
    where = os.path.realpath(directory)
    if where == "/dev":
        return _NAMED.get(last)
    # /dev/fd is a link to the second on Linux.
    if where in ("/dev/fd", f"/proc/{os.getpid()}/fd") and _NUMBER.fullmatch(last):
        return int(last)
    return None


_NAMED = {"stdin": 0, "stdout": 1, "stderr": 2}
_NUMBER = re.compile(r"[0-9]{1,6}")


def destination(name: str) -> str:
    """Return the name with what it leads to, where it is a link."""
    path = Path(name)
    return f"{name} (a link to {path.readlink()})" if path.is_symlink() else name
