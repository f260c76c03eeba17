"""Why the operating system refuses a file, and what to do about it."""

import errno
import os
import shlex
from pathlib import Path


def why(error: Exception) -> str:
    """Return the operating system's words for an error, without the file name and number.

    Where permission is lacking, whose the file or directory is and what to do follows.
    """
    words = getattr(error, "strerror", None) or str(error)
    if not isinstance(error, OSError) or error.errno != errno.EACCES or os.geteuid() == 0:
        return words
    remedy = _remedy(Path(os.fsdecode(error.filename))) if error.filename else None
    return f"{words} ({remedy})" if remedy else words


def _remedy(path: Path) -> str | None:
    try:
        place = _in_the_way(path)
        owner = place.stat().st_uid
        directory = place.is_dir()
    except OSError:
        return None
    what = f"directory {place}" if directory else "it"
    quoted = shlex.quote(str(place))
    if owner == os.geteuid():
        return f"{what} is yours; `chmod u+rw{'x' if directory else ''} {quoted}`"
    whose = _name_of(owner)
    return (
        f"{what} belongs to {whose}; run this as {whose}, or "
        f"`chown {_name_of(os.geteuid())} {quoted}`"
    )


def _in_the_way(path: Path) -> Path:
    """Return the directory that may not be searched or written to, or the file itself."""
    for parent in reversed(path.parents):
        if not os.access(parent, os.X_OK):
            return parent
    return path if path.exists() else path.parent


def _name_of(user: int) -> str:
    import pwd  # noqa: PLC0415  only where something is wrong

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
