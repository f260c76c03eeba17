"""Write the shell completions of ``stigmem-cursor``, with shtab, from its parser.

Usage: python -m tools.completions [DIRECTORY]    (default: completions)
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

import shtab

from stigmem_cursor_plugin.argparse_internals import actions_of, is_subparsers
from stigmem_cursor_plugin.cli import build_parser
from tools.hosts import ROOT

NAMES = {
    "bash": "stigmem-cursor",
    "zsh": "_stigmem-cursor",
    "fish": "stigmem-cursor.fish",
}
FILES = ("FILE", "PATH")


def main(directory: Path) -> None:
    """Write a file for each shell, under the name that the shell looks for."""
    directory.mkdir(exist_ok=True)
    for shell, name in NAMES.items():
        parser = build_parser()
        _complete_files(parser)
        (directory / name).write_text(shtab.complete(parser, shell), encoding="utf-8")


def _complete_files(parser: ArgumentParser) -> None:
    for action in actions_of(parser):
        if is_subparsers(action):
            for below in action.choices.values():
                _complete_files(below)
        elif action.metavar in FILES:
            action.complete = shtab.FILE


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "completions")
