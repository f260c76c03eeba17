"""What is built, and what is in it."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from stigmem_cursor_plugin import __version__
from tests.running import ROOT, run_in

SCHEMA = ROOT / "schema" / "cursor-checkpoint.schema.json"


def _contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_wheel_carries_all_that_is_installed(wheel: Path) -> None:
    """The wheel has the schemas, every man page, both startup files and the type marker."""
    contents = _contents(wheel)
    package = "stigmem_cursor_plugin"
    data = f"{package}-{__version__}.data/data/share/man"
    for schema in (ROOT / "schema").iterdir():
        assert contents[f"{package}/checkpoints/schemas/{schema.name}"] == schema.read_bytes()
    for page in (ROOT / "man").iterdir():
        assert contents[f"{data}/man{page.suffix[1]}/{page.name}"] == page.read_bytes()
    assert {f"{package}.pth", f"{package}.start", f"{package}/py.typed"} <= set(contents)


def test_both_build_the_same(built: Path, wheel: Path, tmp_path: Path) -> None:
    """A wheel built from the source distribution is the wheel built from the checkout."""
    source = next(built.glob("*.tar.gz"))
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / source.name.removesuffix(".tar.gz")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(unpacked)],
        check=True,
        capture_output=True,
    )
    assert _contents(next(tmp_path.glob("*.whl"))) == _contents(wheel)


def test_version_is_told(hostless: Path, tmp_path: Path) -> None:
    """Installed from the wheel, ``stigmem-cursor --version`` tells the version."""
    finished = run_in(tmp_path, ("stigmem-cursor", "--version"), binaries=hostless)
    assert finished.stdout == f"stigmem-cursor {__version__}\n"


def test_package_carries_the_published_file(hostless: Path, tmp_path: Path) -> None:
    """The schema that the installed package reads is the published file, byte for byte."""
    asked = (
        "from stigmem_cursor_plugin.checkpoints import schema; print(schema.__file__);"
        "print(schema.text(), end='')"
    )
    installed, _, text = run_in(
        tmp_path, ("python", "-c", asked), binaries=hostless
    ).stdout.partition("\n")
    assert "site-packages" in installed
    assert text.encode() == SCHEMA.read_bytes()
