"""Write the shell completions of ``stigmem-cursor`` and ``stigmem federation``, with shtab.

Usage: python -m tools.completions [DIRECTORY]    (default: completions)

Of the host's own command, only the path to the plugin's commands is completed.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

import shtab

from stigmem_cursor_plugin import commands
from stigmem_cursor_plugin.argparse_internals import actions_of, is_subparsers
from stigmem_cursor_plugin.cli import build_parser
from tools.hosts import ROOT

NAMES = {"bash": "{}", "zsh": "_{}", "fish": "{}.fish"}
FILES = ("FILE", "PATH")
SUMMARIES = {
    name: command.summary
    for command in commands.COMMANDS
    for name in (command.name, command.standalone)
}


def main(directory: Path) -> None:
    """Write a file for each program and shell, under the name that the shell looks for."""
    directory.mkdir(exist_ok=True)
    for build in (build_parser, _host_parser):
        for shell, name in NAMES.items():
            parser = build()
            _prepare(parser)
            file = directory / name.format(parser.prog)
            file.write_text(shtab.complete(parser, shell), encoding="utf-8")


def _host_parser() -> ArgumentParser:
    """Return a parser of ``stigmem`` that knows the way to the plugin's commands."""
    parser = ArgumentParser(prog="stigmem")
    federation = parser.add_subparsers().add_parser(
        "federation", help="federation commands", description="federation commands"
    )
    commands.add_to(federation.add_subparsers())
    return parser


def _prepare(parser: ArgumentParser) -> None:
    """Let files be completed, and each command be listed with its one-line help."""
    for action in actions_of(parser):
        if is_subparsers(action):
            for name, below in action.choices.items():
                below.description = SUMMARIES.get(name, below.description)
                _prepare(below)
        elif action.metavar in FILES:
            action.complete = shtab.FILE


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "completions")
