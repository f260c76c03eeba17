"""Fail when a generated file is not what its generator makes now.

Usage: python -m tools.drift
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.hosts import ROOT

GENERATED = (
    ("man", "tools.man_pages", "man"),
    ("completions", "tools.completions", "completions"),
    ("schema", "tools.schemas", "schemas"),
    ("docs/architecture.md", "tools.architecture", "architecture"),
)
"""A folder or file, the module that makes it, and the target of the Makefile that runs that."""


def main() -> int:
    """Compare what is committed with what is generated; exit status 1 where they differ."""
    stale = [line for generated in GENERATED for line in _stale(*generated)]
    for line in stale:
        print(line, file=sys.stderr)
    return 1 if stale else 0


def _stale(path: str, tool: str, target: str) -> list[str]:
    committed = ROOT / path
    with tempfile.TemporaryDirectory() as directory:
        generated = Path(directory) if committed.is_dir() else Path(directory) / committed.name
        # A process of its own: the files must not depend on the environment of this one.
        subprocess.run([sys.executable, "-m", tool, generated], check=True, cwd=ROOT)
        names = sorted(_files(generated) | _files(committed))
        return [
            f"{path}{name} is stale: run make {target}"
            for name in names
            if _read(generated, name) != _read(committed, name)
        ]


def _files(path: Path) -> set[str]:
    """Return the names of a folder's files, each after a slash; a file alone has none."""
    return {f"/{file.name}" for file in path.iterdir()} if path.is_dir() else {""}


def _read(path: Path, name: str) -> bytes | None:
    file = Path(f"{path}{name}")
    return file.read_bytes() if file.exists() else None


if __name__ == "__main__":
    sys.exit(main())
