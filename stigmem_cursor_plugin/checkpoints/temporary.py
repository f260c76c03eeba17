"""Temporary files: a killed program leaves one, and the next one to write there removes it."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def new_file(directory: Path, text: str, mode: int = 0o600) -> Iterator[Path]:
    """Yield a new file in *directory* that holds *text*; it is removed unless it was renamed."""
    _remove_left_over(directory)
    temporary, descriptor = _locked_file(directory)
    try:
        os.fchmod(descriptor, mode)
        write_all(descriptor, text.encode())
        os.fsync(descriptor)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        os.close(descriptor)


_LEFT_OVER = re.compile(r"\.stigmem-cursor\.[0-9a-f]{16}\.tmp")


def _locked_file(directory: Path) -> tuple[Path, int]:
    """Make a temporary file and lock it, so that no other export takes it for left over."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    while True:
        path = directory / f".stigmem-cursor.{os.urandom(8).hex()}.tmp"
        descriptor = os.open(path, flags, 0o600)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return path, descriptor
        os.close(descriptor)  # another export was quicker than the lock, and has removed it


def _remove_left_over(directory: Path) -> None:
    """Remove the temporary files that a killed export left; the kernel has unlocked them."""
    with suppress(OSError), os.scandir(directory) as found:
        for item in found:
            if _LEFT_OVER.fullmatch(item.name) and item.is_file(follow_symlinks=False):
                _remove_unlocked(item.path)


def _remove_unlocked(path: str) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            Path(path).unlink()
        finally:
            os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of *data*, however little the operating system takes at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
