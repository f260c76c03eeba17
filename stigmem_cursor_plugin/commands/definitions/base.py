"""What a command is for a user, and the arguments that several of them have."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand. Help and man page are made from the same words.

    ``examples`` are pairs of a sentence and a command line in which ``{prog}`` stands for the
    command; ``exit_status`` are pairs of a status and its meaning.
    """

    name: str
    summary: str
    description: str
    examples: Sequence[tuple[str, str]]
    exit_status: Sequence[tuple[int, str]]
    add_arguments: Callable[[ArgumentParser], None]

    @property
    def standalone(self) -> str:
        """The name that ``stigmem-cursor`` has for it."""
        return self.name.removeprefix("cursor-")


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


def add_json_argument(parser: ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument(
        "--json", action="store_true", help="write the result to stdout as one JSON document"
    )


def add_assume_stopped_argument(parser: ArgumentParser) -> None:
    """Add ``--assume-stopped``."""
    parser.add_argument(
        "--assume-stopped",
        action="store_true",
        help="do not ask whether the node is running; use it if something else listens on the "
        "node's port and does not answer, or for a copy of the database that the running node does "
        "not use",
    )
