"""Publish the schemas that the package carries, where a validator or an editor finds them.

Usage: python -m tools.schemas [DIRECTORY]    (default: schema)
"""

import sys
from pathlib import Path

from tools.hosts import ROOT

PACKAGED = ROOT / "stigmem_cursor_plugin" / "checkpoints" / "schemas"


def main(directory: Path) -> None:
    """Copy every schema to *directory*."""
    for schema in PACKAGED.glob("*.json"):
        (directory / schema.name).write_bytes(schema.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "schema")
