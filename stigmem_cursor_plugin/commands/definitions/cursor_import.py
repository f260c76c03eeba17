"""The command line of ``cursor-import``."""

from argparse import ArgumentParser

from stigmem_cursor_plugin.commands.definitions.base import (
    Command,
    add_assume_stopped_argument,
    add_database_argument,
    add_json_argument,
    path,
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of ``cursor-import``."""
    parser.add_argument(
        "files",
        metavar="FILE",
        type=path,
        nargs="+",
        help='checkpoint JSON produced by cursor-export; "-" is stdin, a directory means the '
        "checkpoints in it; import takes, for each peer, the furthest position whose facts the "
        "database holds",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="overwrite cursors that are already non-null (default: skip)",
    )
    parser.add_argument(
        "--accept-loss",
        action="store_true",
        help="restore positions even if their facts are missing, or FILE is the checkpoint of "
        "another node; the node never fetches the missing facts",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what import would do, and change nothing"
    )
    add_json_argument(parser)
    parser.add_argument(
        "--no-undo",
        action="store_true",
        help="with --force, do not write the undo checkpoint",
    )
    add_assume_stopped_argument(parser)
    add_database_argument(parser)


COMMAND = Command(
    name="cursor-import",
    summary="restore replication cursors from a checkpoint file after DB loss",
    description=(
        "Put the positions of a checkpoint back, so that the node goes on where it was instead "
        "of fetching every fact again. Import fills only empty cursors, unless you give --force. "
        "If the database no longer holds a position's facts, import withholds that position: "
        "the node would never fetch them. Import does everything in one transaction, or nothing."
    ),
    examples=(
        ("Restore after the cursor table was lost:", "{prog} /backup/cursors.json"),
        ("Look first:", "{prog} --dry-run /backup/cursors.json"),
        ("After restoring last night's backup, from all checkpoints kept:", "{prog} /backup/"),
    ),
    exit_status=(
        (0, "done: every position was restored or skipped for the reason given"),
        (1, "failed or refused; nothing was changed, unless it says complete"),
        (2, "usage error"),
        (3, "done, but facts are or may be missing: see the messages"),
    ),
    add_arguments=add_arguments,
)
