"""The commands, one module each, and how they are hung on a parser and run.

A command's definition is loaded for every command line, what it does only when it runs.
"""

import atexit
import gc
import signal
import sys
from argparse import ArgumentParser, Namespace
from functools import partial
from importlib import import_module
from types import FrameType
from typing import Any, NoReturn

from stigmem_cursor_plugin import argparse_internals
from stigmem_cursor_plugin.commands.definitions import (
    cursor_catchup,
    cursor_check,
    cursor_export,
    cursor_import,
)
from stigmem_cursor_plugin.commands.definitions.base import Command
from stigmem_cursor_plugin.commands.ending import status_of
from stigmem_cursor_plugin.commands.parsers import CommandParser

COMMANDS = (
    cursor_export.COMMAND,
    cursor_import.COMMAND,
    cursor_check.COMMAND,
    cursor_catchup.COMMAND,
)


def add_to(subparsers: Any, *, standalone: bool = False) -> None:
    """Add every command to what ``add_subparsers()`` returned, in place of one of its name.

    *standalone* takes the short names of ``stigmem-cursor``.
    """
    for command in COMMANDS:
        name = command.standalone if standalone else command.name
        parser = argparse_internals.add_parser(
            subparsers,
            name,
            CommandParser,
            help=command.summary,
            formatter_class=argparse_internals.IndentKeepingFormatter,
        )
        parser.examples = [line.format(prog=parser.prog) for _, line in command.examples]
        fill(parser, command)
        parser.set_defaults(standalone=standalone)


def fill(parser: ArgumentParser, command: Command) -> None:
    """Give *parser* the command's words and arguments, and the function that runs it."""
    parser.description = command.description
    examples = [f"  {line.format(prog=parser.prog)}" for _, line in command.examples]
    statuses = [f"  {status}  {meaning}" for status, meaning in command.exit_status]
    parser.epilog = "\n".join(["examples:", *examples, "", "exit status:", *statuses])
    command.add_arguments(parser)
    parser.set_defaults(func=partial(execute, command))


def execute(command: Command, arguments: Namespace) -> int:
    """Run a command and return its exit status."""
    signal.signal(signal.SIGTERM, _terminate)
    # Before it ends, Python would look for garbage once more, in what was loaded since then too:
    # 5 ms of the 230 of an import of 1,000 positions.
    atexit.register(gc.freeze)
    return status_of(partial(_run, command, arguments))


def _run(command: Command, arguments: Namespace) -> int:
    module = import_module(f"{__name__}.{command.name.replace('-', '_')}")
    # What is loaded now stays loaded: looking through it for garbage takes some 15 ms at 10,000
    # cursors.
    gc.freeze()
    status: int = module.run(arguments)
    return status


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)
