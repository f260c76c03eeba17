"""What a command is: the words for it, its arguments, and what it does."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from stigmem_cursor_plugin.core import witness
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.snapshot import Questions
from stigmem_cursor_plugin.host.settings import Settings
from stigmem_cursor_plugin.reports.program import Program


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand. Help and man page are made from the same words.

    ``examples`` are pairs of a sentence and a command line in which ``{prog}`` stands for the
    command; ``exit_status`` are pairs of a status and its meaning.
    """

    name: str
    standalone: str
    summary: str
    description: str
    examples: Sequence[tuple[str, str]]
    exit_status: Sequence[tuple[int, str]]
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


def path(text: str) -> str:
    """Return the path that an argument names; for argparse, so that an empty one is refused.

    An empty path is a variable that was not set, and would mean the current directory.
    """
    if not text:
        raise ArgumentTypeError("is empty")
    return text


def add_database_argument(parser: ArgumentParser) -> None:
    """Add ``--db``, which every command has."""
    parser.add_argument(
        "--db",
        metavar="PATH",
        type=path,
        help="path to stigmem.db (default: STIGMEM_DB_PATH or settings default)",
    )


def questions(checkpoints: Iterable[Checkpoint], settings: Settings) -> Questions:
    """Return what a database must be asked about these checkpoints, of a node with *settings*."""
    return witness.questions(
        checkpoints,
        pull_interval=settings.federation_pull_interval_s,
        pushes=settings.federation_push_enabled,
        relays=settings.federation_relay_enabled,
    )


def program(arguments: Namespace) -> Program:
    """Return how the program was called, for the commands that messages name."""
    return Program(standalone=arguments.standalone, db=arguments.db)
