"""``cursor-import``: put the positions back after a loss."""

import json
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from stigmem_cursor_plugin.checkpoints import files, reading
from stigmem_cursor_plugin.checkpoints.document import to_json
from stigmem_cursor_plugin.commands.base import program, read_snapshot
from stigmem_cursor_plugin.commands.running_node import RunningNode
from stigmem_cursor_plugin.core import checkpoint, recovery
from stigmem_cursor_plugin.core.checkpoint_file import CheckpointFile
from stigmem_cursor_plugin.core.recovery import Plan
from stigmem_cursor_plugin.core.selection import Selection, select
from stigmem_cursor_plugin.core.snapshot import Cursor, Snapshot
from stigmem_cursor_plugin.errors import CheckpointError, CursorError
from stigmem_cursor_plugin.host.settings import Settings, read_settings
from stigmem_cursor_plugin.reports import problems
from stigmem_cursor_plugin.reports.importing import ImportReport
from stigmem_cursor_plugin.stores import open_store
from stigmem_cursor_plugin.terminal import (
    busy,
    need_output,
    tell,
    tell_some,
    tell_warning,
    write_result,
)


def run(arguments: Namespace) -> int:
    """Restore what can be restored; exit status 0, or 3 if a position was withheld."""
    if arguments.json:
        need_output()
    try:
        report = _import(arguments)
    except CursorError as error:
        if arguments.json:
            failed = replace(_empty_report(arguments), errors=error.messages)
            write_result(json.dumps(failed.document(), indent=2))
        raise
    _show(report, arguments)
    return 3 if report.plan.withholds else 0


def _empty_report(arguments: Namespace) -> ImportReport:
    return ImportReport(
        plan=Plan([], table_missing=False),
        program=program(arguments),
        pull_interval=Settings().pull_interval,
        several=False,
        dry_run=arguments.dry_run,
    )


def _import(arguments: Namespace) -> ImportReport:
    now = datetime.now(UTC)
    with busy("reading the checkpoints"):
        found = reading.read(arguments.files)
    _refuse_wrong(select(found, None, now), arguments)  # needs no database
    settings = read_settings(arguments.db)
    store = open_store(settings)
    node = RunningNode(settings, asked=not arguments.assume_stopped)
    node.look()
    undo = None
    with store.transaction(read_only=arguments.dry_run) as transaction:
        selection = _select(found, transaction.node_id(), arguments, now)
        snapshot = read_snapshot(transaction, selection.checkpoints, settings, store.name)
        plan = _plan(selection, snapshot, arguments, now)
        if plan.writes and not arguments.dry_run:
            node.refuse(snapshot.node_id)
            cursors = plan.cursors(now.isoformat())
            undo = _write_undo(plan, cursors, snapshot, arguments, now)
            with _only_if_written(undo), busy("writing the positions"):
                transaction.apply(cursors)
                # A node that was started meanwhile waits for our lock, and has written nothing.
                node.check(snapshot.node_id)
    for problem in selection.passed_over:
        tell_warning(problems.passed_over(problem, program(arguments)))
    return replace(
        _empty_report(arguments),
        plan=plan,
        pull_interval=settings.pull_interval,
        several=len(selection.checkpoints) > 1,
        undo=undo,
        running_node=node.found(snapshot.node_id) if arguments.dry_run else None,
    )


def _plan(selection: Selection, snapshot: Snapshot, arguments: Namespace, now: datetime) -> Plan:
    return recovery.plan(
        selection.checkpoints,
        snapshot,
        now,
        force=arguments.force,
        accept_loss=arguments.accept_loss,
    )


def _write_undo(
    plan: Plan, cursors: Sequence[Cursor], snapshot: Snapshot, arguments: Namespace, now: datetime
) -> str | None:
    """Write a checkpoint of what *cursors* overwrite; return its name, None if there is none."""
    if arguments.no_undo or not plan.overwrites:
        return None
    overwritten = checkpoint.build_undo(cursors, plan.false_positions, snapshot, now)
    return files.write_undo(arguments.files[0], now, to_json(overwritten))


@contextmanager
def _only_if_written(undo: str | None) -> Iterator[None]:
    """Remove the undo checkpoint if the block raises.

    A commit that fails later leaves it: with a server, nobody can tell whether it was done.
    """
    try:
        yield
    except BaseException:
        if undo is not None:
            files.remove(undo)
        raise


def _select(
    found: Sequence[CheckpointFile], node_id: str | None, arguments: Namespace, now: datetime
) -> Selection:
    """Return the checkpoints that count for a database; raises as :func:`_refuse_wrong` does."""
    selection = select(
        found, node_id, now, accept_other_nodes=arguments.accept_loss, for_database=True
    )
    _refuse_wrong(selection, arguments)
    return selection


def _refuse_wrong(selection: Selection, arguments: Namespace) -> None:
    """Raise :class:`CheckpointError` for what is wrong with the files."""
    if selection.errors:
        raise CheckpointError(
            *(problems.refused(problem, program(arguments)) for problem in selection.errors)
        )


def _show(report: ImportReport, arguments: Namespace) -> None:
    for group in report.groups():
        tell_some(group.lines, group.total)
    # Say first what was done: writing the document may fail.
    tell(report.summary())
    if arguments.json:
        write_result(json.dumps(report.document(), indent=2))
