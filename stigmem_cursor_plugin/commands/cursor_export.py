"""``cursor-export``: write a checkpoint of every cursor."""

from argparse import Namespace
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import PurePath

from stigmem_cursor_plugin.checkpoints import files, reading, replacing
from stigmem_cursor_plugin.checkpoints.document import to_json
from stigmem_cursor_plugin.checkpoints.replacing import CHECKPOINT
from stigmem_cursor_plugin.commands.base import program, read_snapshot
from stigmem_cursor_plugin.core import checkpoint, retention, rotation, witness
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.checkpoint_file import CheckpointFile, Flaw
from stigmem_cursor_plugin.core.problem import Problem, Trouble
from stigmem_cursor_plugin.core.remedies import Remedy, remedies
from stigmem_cursor_plugin.core.retention import Alarm, Kept
from stigmem_cursor_plugin.core.snapshot import Snapshot
from stigmem_cursor_plugin.core.times import rfc3339
from stigmem_cursor_plugin.errors import RefusedError, UsageError
from stigmem_cursor_plugin.host.settings import read_settings
from stigmem_cursor_plugin.reports import exporting, problems
from stigmem_cursor_plugin.stores import open_store
from stigmem_cursor_plugin.terminal import (
    STANDARD_STREAM,
    shortened,
    tell,
    tell_warning,
    write_result,
)


def run(arguments: Namespace) -> int:
    """Write the checkpoint; exit status 0, or 1 if something was lost since the last one."""
    directory = _is_directory(arguments.out)
    if arguments.keep is not None and not directory:
        raise UsageError("--keep needs --out DIR, an existing directory")
    now = datetime.now(UTC)
    settings = read_settings(arguments.db)
    store = open_store(settings)
    with store.transaction(read_only=True) as transaction:
        node_id = transaction.node_id()
        earlier = _earlier(arguments, node_id, now, directory=directory)
        snapshot = read_snapshot(transaction, earlier, settings, store.name)
    _refuse_unnamed(arguments, earlier, snapshot)
    alarm = retention.alarm(earlier, snapshot)
    if alarm.is_unexplained and not arguments.force:
        raise RefusedError(*exporting.nothing_left(snapshot, program(arguments)))
    exported = checkpoint.build(snapshot, now)
    for entry in checkpoint.unusable(exported, snapshot):
        tell_warning(exporting.unusable(entry))
    exported = retention.marked(exported, alarm, force=arguments.force)
    steps = remedies(alarm, earlier, snapshot, now) if alarm else []
    (_write_to_directory if directory else _write_to_file)(arguments, exported, alarm, steps)
    return 0


def _refuse_unnamed(
    arguments: Namespace, earlier: Sequence[Checkpoint], snapshot: Snapshot
) -> None:
    """Refuse to replace a checkpoint that names no node and seems to be another's."""
    for one in earlier:
        replaced = one.name == arguments.out and not arguments.force
        if replaced and witness.seems_foreign(one, snapshot):
            raise RefusedError(exporting.seems_foreign(one))


def _write_to_file(
    arguments: Namespace, exported: Checkpoint, alarm: Alarm, steps: Sequence[Remedy]
) -> None:
    """Write to FILE or standard output; raises :class:`RefusedError` where that loses something."""
    if alarm and not arguments.force:
        raise RefusedError(
            *shortened([exporting.loss(lost) for lost in alarm.losses]),
            *_kept(arguments, steps),
        )
    text = to_json(exported)
    if arguments.out == STANDARD_STREAM:
        write_result(text)
    else:
        files.write(arguments.out, text, CHECKPOINT)
        tell(exporting.written(arguments.out, exported))


def _kept(arguments: Namespace, steps: Sequence[Remedy]) -> Sequence[str]:
    if files.is_file(arguments.out) and not rotation.is_named_by_export(arguments.out):
        return exporting.kept_file(arguments.out, steps, program(arguments))
    return exporting.kept_directory(_directory_of(arguments.out), steps, program(arguments))


def _directory_of(out: str) -> str:
    return str(PurePath(out).parent)


def _is_directory(out: str) -> bool:
    return out != STANDARD_STREAM and files.is_directory(out)


def _earlier(
    arguments: Namespace, node_id: str | None, now: datetime, *, directory: bool
) -> Sequence[Checkpoint]:
    """Return the earlier checkpoints to compare with, newest first."""
    if arguments.out == STANDARD_STREAM:
        return []
    if directory:
        return _earlier_in(arguments, node_id, now)
    files.refuse_other(arguments.out, CHECKPOINT)
    found = _replaced(arguments, node_id) if files.is_file(arguments.out) else []
    if rotation.is_named_by_export(arguments.out):
        return [*found, *_earlier_in(arguments, node_id, now)]
    return found


def _replaced(arguments: Namespace, node_id: str | None) -> Sequence[Checkpoint]:
    """Return the checkpoint in FILE, if it is one of this node; refuse to lose any other."""
    earlier = _read(arguments.out).checkpoint
    if earlier is None:
        if not arguments.force and replacing.has_positions(arguments.out):
            raise RefusedError(*exporting.damaged(reading.read_file(arguments.out)))
        return []
    named_by_export = rotation.is_named_by_export(arguments.out)
    kept = retention.why_kept(earlier, node_id, named_by_export=named_by_export)
    if kept is not None and not arguments.force:
        raise RefusedError(exporting.not_replaced(kept, earlier, node_id))
    return [] if kept is Kept.OTHER_NODE else [earlier]


def _earlier_in(arguments: Namespace, node_id: str | None, now: datetime) -> Sequence[Checkpoint]:
    """Read those checkpoints of a directory that may show a loss."""
    directory = arguments.out if files.is_directory(arguments.out) else _directory_of(arguments.out)
    names = rotation.newest_first(map(str, reading.checkpoints_in(directory)), now)
    future = [name for name in names if rotation.is_from_the_future(name, now)]
    past = names[: len(names) - len(future)]

    def read(names: Sequence[str]) -> Iterator[Checkpoint]:
        for file in map(_read, names):
            if file.flaw is Flaw.INVALID:
                _warn(Problem(Trouble.INVALID, file.name, file.problems[0]), arguments)
            elif file.checkpoint and not file.checkpoint.is_of_another_node(node_id):
                yield file.checkpoint

    return list(retention.compared(read(past), read(future)))


def _read(name: str) -> CheckpointFile:
    """Read a file; raises :class:`RefusedError` if it cannot be: it may be the only good copy."""
    file = reading.read_found(name)
    if file.flaw is Flaw.UNREADABLE:
        raise RefusedError(*file.problems)
    return file


def _warn(problem: Problem, arguments: Namespace) -> None:
    tell_warning(problems.passed_over(problem, program(arguments)))


def _write_to_directory(
    arguments: Namespace, exported: Checkpoint, alarm: Alarm, steps: Sequence[Remedy]
) -> None:
    """Write a new file; remove old ones only if nothing was lost, or with ``--force``.

    Raises :class:`RefusedError` after writing if something was lost.
    """
    written = files.write_rotated(arguments.out, exported.time, to_json(exported))
    tell(exporting.written(written, exported))
    if alarm and not arguments.force:
        raise RefusedError(
            *shortened([exporting.loss(lost) for lost in alarm.losses]),
            *exporting.kept_directory(arguments.out, steps, program(arguments)),
        )
    if arguments.keep is not None:
        _prune(arguments, exported, {written} | alarm.needed)


def _prune(arguments: Namespace, exported: Checkpoint, needed: Collection[str]) -> None:
    """Remove all but the newest checkpoints of this node, and those that are needed."""
    now, node_id = exported.time, exported.node_id
    names = rotation.newest_first(map(str, reading.checkpoints_in(arguments.out)), now)
    for name in sorted(name for name in names if rotation.is_from_the_future(name, now)):
        time = rfc3339(rotation.time_in(name) or now)
        _warn(Problem(Trouble.FROM_THE_FUTURE, name, time), arguments)
    own = [name for name in names if node_id and reading.is_written_by(node_id, name)]
    for name in rotation.surplus(own, arguments.keep, needed, now, force=arguments.force):
        found = _read(name).checkpoint
        if found is not None and found.node_id == node_id:
            files.remove(name)
