"""What a name leads to."""

import os
from pathlib import Path

import pytest

from stigmem_cursor_plugin.checkpoints.places import descriptor


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("/dev/stdin", 0),
        ("/dev//stdout", 1),
        ("//dev/stdout", 1),
        ("/dev/./stderr", 2),
        ("/dev/../dev/stdout", 1),
        ("/dev/fd/7", 7),
        ("/proc/self/fd/2", 2),
        ("/proc/1/fd/2", None),
        ("/dev/null", None),
        ("/dev/fd/x", None),
        ("stdout", None),
        ("", None),
    ],
)
def test_descriptor(name: str, number: int | None) -> None:
    """However it is written, a name of an open descriptor is known as one."""
    assert descriptor(name) == number


def test_descriptor_from_its_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also from within the directory, or through a link to it."""
    (tmp_path / "dev").symlink_to("/dev")
    assert descriptor(f"{tmp_path}/dev/stdout") == 1
    monkeypatch.chdir("/dev")
    assert descriptor("stdout") == 1
    assert descriptor(f"/proc/{os.getpid()}/fd/12") == 12
