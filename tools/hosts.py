"""Hosts to run against: stigmem-node of one release or another, with its migrations.

Usage: python -m tools.hosts    puts the migrations of this environment's host in their place

The host's wheel ships no migrations, its source distribution does, and the installed package
looks for them beside site-packages. They are never committed here.
"""

import fcntl
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache" / "hosts"
RELEASES = tuple(f"0.9.0a{number}" for number in range(1, 13))


def place_migrations(release: str, directory: Path) -> None:
    """Download the source distribution of *release* and put its migrations into *directory*."""
    if (directory / "migrations").is_dir():
        return
    with tempfile.TemporaryDirectory() as downloads:
        pip(
            Path(sys.executable),
            *("download", "--no-deps", "--no-binary", "stigmem-node", "--dest", downloads),
            f"stigmem-node=={release}",
        )
        archive = next(Path(downloads).glob("*.tar.gz"))
        with tarfile.open(archive) as opened:
            opened.extractall(downloads, filter="data")
        unpacked = archive.with_name(archive.name.removesuffix(".tar.gz"))
        for source in unpacked.glob("migrations*"):
            target = directory / source.name
            target.mkdir(exist_ok=True)
            for script in source.glob("*.sql"):
                (target / script.name).write_bytes(script.read_bytes())


@contextmanager
def environment(release: str) -> Iterator[Path]:
    """Yield a virtual environment with the host of *release* and its migrations, and no plugin.

    It is made once and kept; nobody else can use it during the block.
    """
    directory = CACHE / f"{release}-py{sys.version_info.major}.{sys.version_info.minor}"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{directory}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        python = directory / "bin" / "python"
        if not (directory / "complete").exists():
            venv.create(directory, clear=True)
            pip(python, "install", "--no-compile", f"stigmem-node=={release}")
            place_migrations(release, _beside_site_packages(directory))
            (directory / "complete").touch()
        pip(python, "uninstall", "--yes", "stigmem-cursor-plugin")
        yield directory


def pip(python: Path, *arguments: str) -> None:
    """Run pip quietly for an environment, which needs none of its own.

    Raises RuntimeError with its output when it fails.
    """
    own = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    finished = subprocess.run(
        [*own, "--python", str(python), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(f"pip {' '.join(arguments)}: {finished.stderr or finished.stdout}")


def _beside_site_packages(directory: Path) -> Path:
    return directory / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def main() -> None:
    """Put the migrations of this environment's host where it looks for them."""
    found = find_spec("stigmem_node")
    if found is None or found.origin is None:
        raise SystemExit("stigmem-node is not installed in this environment")
    place_migrations(version("stigmem-node"), Path(found.origin).parents[2])


if __name__ == "__main__":
    main()
