"""``cursor-check``: are these checkpoints, this database, this backup fit to recover from."""

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from stigmem_cursor_plugin.checkpoints import files, reading
from stigmem_cursor_plugin.checkpoints.replacing import METRICS
from stigmem_cursor_plugin.commands.base import program, read_snapshot
from stigmem_cursor_plugin.core import findings, recovery
from stigmem_cursor_plugin.core.checkpoint_file import CheckpointFile
from stigmem_cursor_plugin.core.findings import Findings, too_old
from stigmem_cursor_plugin.core.selection import (
    Selection,
    directories_of_several_nodes,
    select,
)
from stigmem_cursor_plugin.errors import CursorError, UsageError
from stigmem_cursor_plugin.host.settings import Settings, read_settings
from stigmem_cursor_plugin.reports import checking, metrics, problems
from stigmem_cursor_plugin.stores import open_store
from stigmem_cursor_plugin.terminal import (
    STANDARD_STREAM,
    busy,
    printable,
    shortened,
    tell_error,
    tell_warning,
    width_of_output,
    write_result,
)


def run(arguments: Namespace) -> int:
    """Check what was named; exit status 0 if it is fit, 1 if it is not."""
    if arguments.json and arguments.metrics == STANDARD_STREAM:
        raise UsageError("--json and --metrics - both write to standard output")
    if arguments.max_age is not None and not arguments.files:
        raise UsageError("--max-age needs FILE, the checkpoint or directory to check")
    if arguments.metrics is not None:
        metrics.need_library()
    now = datetime.now(UTC)
    found = Findings(now, Settings().pull_interval, [], Selection({}, [], []))
    try:
        found = _find(arguments, found)
    except CursorError as error:
        found = replace(found, failure=error.messages)
    if arguments.metrics not in (None, STANDARD_STREAM):
        found = _write_metrics(arguments.metrics, found)
    _show(arguments, found)
    if arguments.metrics == STANDARD_STREAM:
        write_result(metrics.text(found, datetime.now(UTC)))
    return 0 if found.fit else 1


def _write_metrics(name: str, found: Findings) -> Findings:
    """Write a file; return the findings, with why where it cannot be written."""
    try:
        # node_exporter runs as another user, and there is nothing secret in it.
        files.write(name, metrics.text(found, datetime.now(UTC)), METRICS, mode=0o644)
    except CursorError as error:
        return replace(found, failure=[*found.failure, *error.messages])
    return found


def _show(arguments: Namespace, found: Findings) -> None:
    if arguments.json:
        write_result(json.dumps(checking.document(found, program(arguments)), indent=2))
    else:
        shown = checking.lines(found, width_of_output())
        if shown and arguments.metrics != STANDARD_STREAM:
            write_result("\n".join(map(printable, shown)))
        for problem in found.selection.passed_over:
            tell_warning(problems.passed_over(problem, program(arguments)))
        for problem in found.problems:
            tell_error(problems.sentence(problem, program(arguments)))
    for message in shortened(found.failure):
        tell_error(message)


def _find(arguments: Namespace, start: Findings) -> Findings:
    with busy("reading the checkpoints"):
        read = reading.read(arguments.files)
    if arguments.db is not None or not arguments.files:
        found = _check_database(arguments, read, start)
    else:
        selection = select(read, _node_id(read), start.now)
        found = replace(start, files=read, selection=selection)
    problems = [*found.selection.errors, *found.problems]
    if arguments.max_age is not None:
        problems += too_old(found.selection, start.now, arguments.max_age)
    return replace(found, problems=problems)


def _check_database(
    arguments: Namespace, read: Sequence[CheckpointFile], start: Findings
) -> Findings:
    """Look at the database, and at what an import of the files would do to it."""
    settings = read_settings(arguments.db)
    store = open_store(settings)
    with store.transaction(read_only=True) as transaction:
        selection = select(read, transaction.node_id(), start.now, for_database=True)
        checkpoints = selection.checkpoints
        snapshot = read_snapshot(transaction, checkpoints, settings, store.name)
    database = findings.state_of(snapshot)
    problems = list(findings.database_problems(database))
    plan = None
    if arguments.files:
        plan = recovery.plan(checkpoints, snapshot, start.now)
        problems += findings.recovery_problems(plan, selection, snapshot, start.now)
    return replace(
        start,
        pull_interval=settings.pull_interval,
        files=read,
        selection=selection,
        database=database,
        plan=plan,
        problems=problems,
    )


def _node_id(read: Sequence[CheckpointFile]) -> str | None:
    """Return this node's id, needed where one directory holds checkpoints of several nodes."""
    if not directories_of_several_nodes(read):
        return None
    try:
        with open_store(read_settings(None)).transaction(read_only=True) as transaction:
            return transaction.node_id()
    except CursorError:
        return None  # only files were to be checked, perhaps on another machine
