"""The documentation shows what the program prints."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.conftest import BIN, ROOT, environment_for
from tests.database import Database

PAGES = ("README.md", "docs/json.md", "docs/backends.md")


def _blocks(name: str) -> list[list[tuple[str, str]]]:
    """Return the commands of each console block, each with the output shown for it."""
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE) for block in blocks]


def steady(text: str) -> str:
    """Blank the age of a position, which grows by the day, and the column that it widens."""
    return re.sub(r" {2,}", "  ", re.sub(r"[0-9,]+ days ", "N days ", text))


def test_every_console_block(
    node: Database, make_database: Callable[[str], Database], tmp_path: Path
) -> None:
    """Played one after the other, the commands of the pages print the output shown there."""
    empty = make_database("empty.db")
    for name in ("node-b", "node-c"):
        empty.add_peer(name)
    played = 0
    for command, shown in (pair for name in PAGES for block in _blocks(name) for pair in block):
        finished = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=environment_for(BIN),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert steady(finished.stdout) == steady(shown), command
        played += 1
    assert played >= 8


def test_first_commands_are_targets() -> None:
    """The two commands at the top of the README are targets of the Makefile."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^    make (\w+)", readme, re.MULTILINE) == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:`|^    )make ([\w-]+)", readme, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
