"""The command line of ``cursor-export``."""

import re
from argparse import ArgumentParser, ArgumentTypeError

from stigmem_cursor_plugin.commands.definitions.base import (
    Command,
    add_database_argument,
    path,
)
from stigmem_cursor_plugin.terminal import STANDARD_STREAM


def _positive(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number of files, 1 or more")
    return int(text)


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of ``cursor-export``."""
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=path,
        default=STANDARD_STREAM,
        help='output path; "-" is stdout; a directory gets a file named by the time '
        "(default: stdout)",
    )
    parser.add_argument(
        "--keep",
        metavar="N",
        type=_positive,
        help="in a directory, remove all but the N newest checkpoints of this node",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="write even if positions or facts were lost, or FILE is another node's checkpoint",
    )
    add_database_argument(parser)


COMMAND = Command(
    name="cursor-export",
    summary="export replication cursor positions to a JSON checkpoint file",
    description=(
        "Write a checkpoint of every replication cursor of this node: for each peer and "
        "direction how far the pulling has come, how many facts of the peer the node held then, "
        "and which of them came last. Export only reads "
        "the database. It replaces FILE in one step: a crash leaves the old checkpoint or the new "
        "one, whole. It does not replace a FILE that holds what the database has lost."
    ),
    examples=(
        ("Write a checkpoint beside the database backup:", "{prog} --out /backup/cursors.json"),
        ("Keep the last hundred:", "{prog} --out /backup/cursors/ --keep 100"),
        ("Write it to standard output:", "{prog} --db /var/lib/stigmem/stigmem.db"),
    ),
    exit_status=(
        (0, "the checkpoint was written"),
        (1, "failed or refused; or written to a directory, but something was lost"),
        (2, "usage error"),
    ),
    add_arguments=add_arguments,
)
