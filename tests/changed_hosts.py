"""Copies of the installed host that are changed in one place."""

import importlib.util
import re
import shutil
import textwrap
from pathlib import Path

from tests.running import ROOT

_AFTER_FEDERATION = "    # ------------------------------------------------------------------ snap"


def copy_of_the_host(directory: Path) -> Path:
    """Copy the host's package into *directory* and return where it is."""
    found = importlib.util.find_spec("stigmem_node")
    assert found is not None
    assert found.origin is not None
    copy = directory / "host" / "stigmem_node"
    shutil.copytree(Path(found.origin).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def rename(module: Path, name: str, new: str) -> None:
    """Give a function another name in *module*."""
    module.write_text(module.read_text().replace(name, new))


def call_the_hook(copy: Path) -> None:
    """Add the six lines of ``docs/host-hook.md`` to the host's parser."""
    parser = copy / "cli" / "parser.py"
    before, marker, after = parser.read_text().partition(_AFTER_FEDERATION)
    assert marker
    parser.write_text(before + _lines_of_the_page() + marker + after)


def _lines_of_the_page() -> str:
    page = (ROOT / "docs" / "host-hook.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(list(filter(None, lines.splitlines()))) == 6
    return textwrap.indent(lines, "    ")
