"""What is built, and what is in it."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from stigmem_cursor_plugin import __version__
from tests.running import ROOT, run_in


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the source distribution of this checkout."""
    directory = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(directory), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return next(directory.glob("*.whl")), next(directory.glob("*.tar.gz"))


def _contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_wheel_carries_all_that_is_installed(built: tuple[Path, Path]) -> None:
    """The wheel has the schemas, every man page, both startup files and the type marker."""
    contents = _contents(built[0])
    package = "stigmem_cursor_plugin"
    data = f"{package}-{__version__}.data/data/share/man"
    for schema in (ROOT / "schema").iterdir():
        assert contents[f"{package}/checkpoints/schemas/{schema.name}"] == schema.read_bytes()
    for page in (ROOT / "man").iterdir():
        assert contents[f"{data}/man{page.suffix[1]}/{page.name}"] == page.read_bytes()
    assert {f"{package}.pth", f"{package}.start", f"{package}/py.typed"} <= set(contents)


def test_both_build_the_same(built: tuple[Path, Path], tmp_path: Path) -> None:
    """A wheel built from the source distribution is the wheel built from the checkout."""
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / built[1].name.removesuffix(".tar.gz")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(source)],
        check=True,
        capture_output=True,
    )
    assert _contents(next(tmp_path.glob("*.whl"))) == _contents(built[0])


def test_version_is_told(tmp_path: Path) -> None:
    """``stigmem-cursor --version`` tells the version."""
    finished = run_in(tmp_path, ("stigmem-cursor", "--version"))
    assert finished.stdout == f"stigmem-cursor {__version__}\n"
