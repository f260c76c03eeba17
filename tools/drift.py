"""Fail when a generated file is not what its generator makes now.

Usage: python -m tools.drift
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.man_pages import ROOT


def main() -> int:
    """Compare what is committed with what is generated; exit status 1 where they differ."""
    stale = [line for folder in GENERATED for line in _stale(folder, *GENERATED[folder])]
    for line in stale:
        print(line, file=sys.stderr)
    return 1 if stale else 0


GENERATED = {
    "man": ("tools.man_pages", "man"),
    "completions": ("tools.completions", "completions"),
    "schema": ("tools.schemas", "schemas"),
}
"""Each folder, the module that makes it, and the target of the Makefile that runs that."""


def _stale(folder: str, tool: str, target: str) -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        # A process of its own: the files must not depend on the environment of this one.
        subprocess.run([sys.executable, "-m", tool, directory], check=True, cwd=ROOT)
        different = sorted(_different(Path(directory), ROOT / folder))
    return [f"{folder}/{name} is stale: run make {target}" for name in different]


def _different(generated: Path, committed: Path) -> set[str]:
    names = {path.name for folder in (generated, committed) for path in folder.iterdir()}
    return {name for name in names if _read(generated / name) != _read(committed / name)}


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
