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
    with tempfile.TemporaryDirectory() as directory:
        # A process of its own: the pages must not depend on the environment of this one.
        subprocess.run([sys.executable, "-m", "tools.man_pages", directory], check=True, cwd=ROOT)
        stale = sorted(_different(Path(directory), ROOT / "man"))
    for name in stale:
        print(f"man/{name} is stale: run make man", file=sys.stderr)
    return 1 if stale else 0


def _different(generated: Path, committed: Path) -> set[str]:
    names = {path.name for folder in (generated, committed) for path in folder.iterdir()}
    return {name for name in names if _read(generated / name) != _read(committed / name)}


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
