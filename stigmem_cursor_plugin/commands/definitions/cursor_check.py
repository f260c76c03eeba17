"""The command line of ``cursor-check``."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta

from stigmem_cursor_plugin.commands.definitions.base import (
    Command,
    add_database_argument,
    add_json_argument,
    path,
)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is not a duration such as 90s, 30m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of ``cursor-check``."""
    parser.add_argument(
        "files",
        metavar="FILE",
        type=path,
        nargs="*",
        help='checkpoint to check; "-" is stdin, a directory means the checkpoints in it '
        "(default: check the database)",
    )
    parser.add_argument(
        "--max-age",
        metavar="DURATION",
        type=_duration,
        help="fail a checkpoint older than this, such as 30m, 24h or 7d; in a directory, only "
        "the age of the newest counts",
    )
    add_json_argument(parser)
    parser.add_argument(
        "--metrics",
        metavar="FILE",
        type=path,
        help="write the result as Prometheus metrics, for the textfile collector of "
        'node_exporter; "-" is stdout',
    )
    add_database_argument(parser)


COMMAND = Command(
    name="cursor-check",
    summary="check whether checkpoints or a database are fit to recover from",
    description=(
        "With FILEs, check that each is a valid checkpoint. Without FILEs, show for each peer of "
        "the database how far the node has pulled and what losing that position would cost; fail "
        "if a position is lost. With FILEs and --db, show what cursor-import would do, and fail if "
        "you would lose anything when you recover from them. Check changes nothing. The database "
        "may be a backup on read-only media, or in use by a node."
    ),
    examples=(
        ("Check the node's database:", "{prog}"),
        ("Check that cron still takes checkpoints:", "{prog} --max-age 30m /backup/"),
        (
            "Check last night's backup against them:",
            "{prog} --db /backup/stigmem.db /backup/",
        ),
        (
            "Let Prometheus know:",
            "{prog} --metrics /srv/metrics/cursors.prom",
        ),
    ),
    exit_status=(
        (0, "fit"),
        (1, "not fit, or the check failed"),
        (2, "usage error"),
    ),
    add_arguments=add_arguments,
)
