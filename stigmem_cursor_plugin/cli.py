"""``stigmem-cursor``: the same commands where no host is installed."""

import sys
from argparse import ArgumentParser

from stigmem_cursor_plugin import __version__, commands
from stigmem_cursor_plugin.argparse_internals import IndentKeepingFormatter
from stigmem_cursor_plugin.commands.ending import status_of
from stigmem_cursor_plugin.commands.parsers import CommandParser

DESCRIPTION = (
    "Checkpoints of a stigmem node's replication cursors. The same commands as stigmem "
    "federation cursor-export, cursor-import, cursor-check and cursor-catchup. All but the last "
    "also run on a machine without stigmem-node, on a SQLite file."
)


def top_parser() -> ArgumentParser:
    """Return the parser of ``stigmem-cursor`` without its commands."""
    parser = CommandParser(
        prog="stigmem-cursor",
        description=DESCRIPTION,
        formatter_class=IndentKeepingFormatter,
    )
    parser.examples = ["stigmem-cursor check"]
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def build_parser() -> ArgumentParser:
    """Return the parser of ``stigmem-cursor``."""
    parser = top_parser()
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands.add_to(subparsers, standalone=True)
    return parser


def main() -> None:
    """Run the command that the command line names, and exit with its status."""
    sys.exit(status_of(_run))


def _run() -> int:
    arguments = build_parser().parse_args()
    status: int = arguments.func(arguments)
    return status
