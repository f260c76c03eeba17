"""Fill in what the commands of the documentation print.

Usage: python -m tools.console    writes README.md and three pages of docs/

Played one after the other beside a node's database ``stigmem.db`` with two peers, node-b with three
facts, and ``empty.db``, in which the same peers are registered and nothing was received.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.database import NODE_ID, Database
from tools.hosts import ROOT

PAGES = ("README.md", "docs/examples.md", "docs/json.md", "docs/backends.md")
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def run(command: str, directory: Path) -> str:
    """Run a command of a page as a user would, and return what it printed."""
    inherited = {k: v for k, v in os.environ.items() if not k.upper().startswith("STIGMEM_")}
    binaries = Path(sys.executable).parent
    finished = subprocess.run(
        ["bash", "-c", command],
        cwd=directory,
        # A port that no node is on.
        env={
            **inherited,
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "80",
            "STIGMEM_PORT": "1",
        },
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return finished.stdout


def commands(text: str) -> list[tuple[str, str]]:
    """Return the commands of a page, each with the output shown for it."""
    return [pair for block in BLOCK.findall(text) for pair in COMMAND.findall(block)]


def filled(text: str, directory: Path) -> str:
    """Return a page with what its commands print now."""

    def block(found: re.Match[str]) -> str:
        lines = [
            f"$ {command}\n{run(command, directory)}" for command, _ in COMMAND.findall(found[1])
        ]
        return f"```console\n{''.join(lines)}```"

    return BLOCK.sub(block, text)


def make_databases(directory: Path) -> None:
    """Make the two databases that the pages speak of."""
    node, empty = (Database(directory / name) for name in ("stigmem.db", "empty.db"))
    script = "import sys; from stigmem_node.db import apply_migrations as a; a(sys.argv[1])"
    subprocess.run([sys.executable, "-c", script, str(node.path)], cwd=directory, check=True)
    node.run("INSERT INTO node_meta (key, value) VALUES ('node_id', ?)", [NODE_ID])
    for name in ("node-b", "node-c"):
        node.add_peer(name)
    shutil.copy(node.path, empty.path)
    node.set_cursor("id-of-node-b", "1725349500000.005")
    node.set_cursor("id-of-node-c", "1725349500000.10")
    node.add_facts("node-b", 3)


def main() -> None:
    """Write every page."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        make_databases(directory)
        for page in (ROOT / page for page in PAGES):
            page.write_text(filled(page.read_text(encoding="utf-8"), directory), encoding="utf-8")


if __name__ == "__main__":
    main()
