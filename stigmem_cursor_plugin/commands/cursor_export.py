"""``cursor-export``: write a checkpoint of every cursor."""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from datetime import UTC, datetime
from pathlib import Path

from stigmem_cursor_plugin.checkpoints import files
from stigmem_cursor_plugin.checkpoints import reading as sources
from stigmem_cursor_plugin.checkpoints.document import to_json
from stigmem_cursor_plugin.commands.base import Command, add_database_argument, path
from stigmem_cursor_plugin.core import checkpoint, recovery, retention
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.snapshot import Snapshot
from stigmem_cursor_plugin.errors import RefusedError, UsageError
from stigmem_cursor_plugin.host.settings import read_settings
from stigmem_cursor_plugin.stores import open_store
from stigmem_cursor_plugin.terminal import busy, shortened, tell, tell_warning, write_result


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
        default=files.STANDARD_STREAM,
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
        help="write even if positions were lost or FILE is another node's",
    )
    add_database_argument(parser)


def run(arguments: Namespace) -> int:
    """Write the checkpoint; exit status 0, or 1 if positions were lost since the last one."""
    directory = _is_directory(arguments.out)
    if arguments.keep is not None and not directory:
        raise UsageError("--keep goes with --out DIR, an existing directory")
    now = datetime.now(UTC)
    store = open_store(read_settings(arguments.db))
    with busy("counting the facts that the database holds"):
        snapshot = store.read()
    taken = checkpoint.build(snapshot, store.name, now)
    if not arguments.force:
        _refuse_without_positions(taken, snapshot, store.name)
    _warn_of_unusable(taken, snapshot)
    if arguments.out == files.STANDARD_STREAM:
        write_result("".join(to_json(taken)))
        return 0
    if directory:
        return _write_to_directory(arguments, taken, snapshot, now)
    if not arguments.force:
        _refuse_to_overwrite(arguments.out, snapshot)
    files.write(arguments.out, to_json(taken))
    tell(_WRITTEN.format(arguments.out, len(taken.entries)))
    return 0


_WRITTEN = "checkpoint written: {} ({} cursor(s))"
_RECOVER = "stop the node and run `stigmem federation cursor-import {}`"


def _is_directory(out: str) -> bool:
    if out.endswith("/") and not Path(out).is_dir():
        raise RefusedError(f"no directory {out}")
    return out != files.STANDARD_STREAM and Path(out).is_dir()


def _refuse_without_positions(taken: Checkpoint, snapshot: Snapshot, name: str) -> None:
    # A checkpoint without positions is worth nothing, and may replace the last good one.
    if taken.positions:
        return
    state = "no table replication_cursors" if snapshot.cursors is None else "no positions"
    raise RefusedError(
        f"{name} has {state}, so there is nothing to checkpoint; if they were lost, restore them "
        "with `stigmem federation cursor-import FILE`; --force writes an empty checkpoint"
    )


def _refuse_to_overwrite(name: str, snapshot: Snapshot) -> None:
    """Keep the last good copy: this may be the cron job in the middle of the incident."""
    earlier = sources.read_if_there(name)
    if earlier is None:
        return
    if list(recovery.foreign([earlier], snapshot)):
        raise RefusedError(
            f"{name} is the checkpoint of node {earlier.node_id}, and this database is that of "
            f"{snapshot.node_id}; it was kept; name another file, or --force to replace it"
        )
    lost = retention.newest_losses([earlier], snapshot)
    if lost:
        raise RefusedError(
            *shortened([str(loss) for loss in lost]),
            f"{name} was kept, because it holds positions that this database has lost; "
            f"{_RECOVER.format(name)}, or --force to replace it",
        )


def _write_to_directory(
    arguments: Namespace, taken: Checkpoint, snapshot: Snapshot, now: datetime
) -> int:
    """Write a new file; remove old ones only if nothing was lost."""
    kept = sources.own_rotated(arguments.out, snapshot.node_id)
    lost = retention.newest_losses(list(kept.values())[::-1], snapshot)
    written = files.write_rotated(arguments.out, now, to_json(taken))
    tell(_WRITTEN.format(written, len(taken.entries)))
    if lost and not arguments.force:
        raise RefusedError(
            *shortened([str(loss) for loss in lost]),
            f"older checkpoints in {arguments.out} hold positions that this database has lost, "
            f"so none was removed; {_RECOVER.format(arguments.out)}",
        )
    if arguments.keep is not None:
        kept[written] = taken
        for name in retention.expendable(kept, snapshot, arguments.keep, written):
            files.remove(name)
    return 0


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
        "new one, whole; and it is kept if it holds positions that the database has lost since."
    ),
    examples=(
        ("Write a checkpoint beside the database backup:", "{prog} --out /backup/cursors.json"),
        ("Keep the last hundred:", "{prog} --out /backup/cursors/ --keep 100"),
        ("Write it to standard output:", "{prog} --db /var/lib/stigmem/stigmem.db"),
    ),
    exit_status=(
        (0, "the checkpoint was written"),
        (1, "failed or refused; or written to a directory, but positions were lost"),
        (2, "usage error"),
    ),
    add_arguments=add_arguments,
    run=run,
)
