"""``cursor-export``: write a checkpoint of every cursor."""

import sys
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from stigmem_cursor_plugin import checkpoint, files
from stigmem_cursor_plugin.checkpoint import Checkpoint
from stigmem_cursor_plugin.commands.base import Command, add_database_argument
from stigmem_cursor_plugin.errors import RefusedError
from stigmem_cursor_plugin.host import read_settings
from stigmem_cursor_plugin.snapshot import Snapshot
from stigmem_cursor_plugin.stores import open_store
from stigmem_cursor_plugin.terminal import tell, tell_warning


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of ``cursor-export``."""
    parser.add_argument(
        "--out",
        metavar="FILE",
        default=files.STANDARD_STREAM,
        help='output path; "-" is stdout (default: stdout)',
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="write the checkpoint even if it holds no position",
    )
    add_database_argument(parser)


def run(arguments: Namespace) -> int:
    """Write the checkpoint; exit status 0."""
    store = open_store(read_settings(arguments.db))
    snapshot = store.read()
    taken = checkpoint.build(snapshot, store.name, datetime.now(UTC))
    if not arguments.force:
        _refuse_without_positions(taken, snapshot, store.name)
    _warn_of_unusable(taken, snapshot)
    text = checkpoint.to_json(taken)
    if arguments.out == files.STANDARD_STREAM:
        sys.stdout.write(text)
    else:
        files.write(arguments.out, text)
        tell(f"checkpoint written: {arguments.out} ({len(taken.entries)} cursor(s))")
    return 0


def _refuse_without_positions(taken: Checkpoint, snapshot: Snapshot, name: str) -> None:
    # A checkpoint without positions is worth nothing, and may replace the last good one.
    if taken.positions:
        return
    state = "no table replication_cursors" if snapshot.cursors is None else "no positions"
    raise RefusedError(
        f"{name} has {state}, so there is nothing to checkpoint; if they were lost, restore them "
        "with `stigmem federation cursor-import FILE`; --force writes an empty checkpoint"
    )


def _warn_of_unusable(taken: Checkpoint, snapshot: Snapshot) -> None:
    stored = snapshot.cursors or {}
    for entry in taken.entries:
        if entry.cursor is None and stored[entry.peer_id, entry.direction].position is not None:
            tell_warning(
                f"peer {entry.peer_node_id} ({entry.direction}): position holds control "
                "characters, written as none"
            )


COMMAND = Command(
    name="cursor-export",
    standalone="export",
    summary="export replication cursor positions to a JSON checkpoint file",
    description=(
        "Write a checkpoint of every replication cursor of this node: for each peer and "
        "direction how far it has pulled, and which facts it held then. The database is only "
        "read. FILE is replaced in one step, so that a crash leaves the old checkpoint or the "
        "new one, whole."
    ),
    examples=(
        ("Write a checkpoint beside the database backup:", "{prog} --out /backup/cursors.json"),
        ("Write it to standard output:", "{prog} --db /var/lib/stigmem/stigmem.db"),
    ),
    exit_status=(
        (0, "the checkpoint was written"),
        (1, "failed or refused; FILE is as it was"),
        (2, "usage error"),
    ),
    add_arguments=add_arguments,
    run=run,
)
