"""The real programs run as another user than the tests, who are root."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import BIN, CAN_MOUNT, Finished, environment_for

NOBODY = 65534

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

_DROPPED = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
# In a mount namespace of its own: puts an open directory over the closed one in which Python is.
_OPENED = """
mount --bind "$1" /mnt && mount -t tmpfs -o mode=755 tmpfs "$2" && mkdir -p "$1" &&
mount --bind /mnt "$1" && shift 2 && cd "$PWD" && exec "$@"
"""


def run_as_nobody(directory: Path, *arguments: str, **environment: str) -> Finished:
    """Run a program of the environment in *directory* as the user nobody."""
    command = [*as_nobody(), str(BIN / arguments[0]), *arguments[1:]]
    return subprocess.run(
        command,
        cwd=directory,
        env=environment_for(BIN, **environment),
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def open_to_others(directory: Path) -> None:
    """Let everybody into a temporary directory of pytest's."""
    for place in (directory, *directory.parents):
        if place.owner() == "root" and str(place).startswith("/tmp/"):  # noqa: S108
            place.chmod(place.stat().st_mode | 0o055)


def as_nobody() -> list[str]:
    """Return the words before a command that make it run as nobody; none where we are not root."""
    if os.geteuid() != 0:
        return []
    python = Path(sys.base_prefix)
    closed = [place for place in python.parents if not place.stat().st_mode & 0o001]
    if not closed:
        return list(_DROPPED)
    if not CAN_MOUNT:
        pytest.skip(f"{closed[-1]}, in which Python is, is closed to others")
    return ["unshare", "-m", "sh", "-c", _OPENED, "sh", str(python), str(closed[-1]), *_DROPPED]
