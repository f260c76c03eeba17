"""``cursor-import``: put the positions back after a loss."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from stigmem_cursor_plugin.checkpoints import files
from stigmem_cursor_plugin.checkpoints import reading as sources
from stigmem_cursor_plugin.checkpoints.document import to_json
from stigmem_cursor_plugin.commands.base import Command, add_database_argument, path
from stigmem_cursor_plugin.commands.running_node import RunningNode, add_assume_stopped_argument
from stigmem_cursor_plugin.core import checkpoint, recovery
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.recovery import Outcome, Plan
from stigmem_cursor_plugin.core.snapshot import Cursor, Snapshot
from stigmem_cursor_plugin.errors import CheckpointError, RefusedError
from stigmem_cursor_plugin.host.settings import Settings, read_settings
from stigmem_cursor_plugin.reports import importing
from stigmem_cursor_plugin.stores import open_store
from stigmem_cursor_plugin.terminal import busy, tell, tell_some, tell_warning, write_result


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of ``cursor-import``."""
    parser.add_argument(
        "files",
        metavar="FILE",
        type=path,
        nargs="+",
        help='checkpoint JSON produced by cursor-export; "-" is stdin, a directory means the '
        "checkpoints in it; of several, the newest that the database can back up counts",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="overwrite cursors that are already non-null (default: skip)",
    )
    parser.add_argument(
        "--accept-loss",
        action="store_true",
        help="restore positions even if the database lacks their facts, or the checkpoint is "
        "another node's: those facts are never fetched again",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, and change nothing"
    )
    parser.add_argument(
        "--json", action="store_true", help="write the result to stdout as one JSON document"
    )
    parser.add_argument(
        "--no-undo",
        action="store_true",
        help="with --force, do not write the undo checkpoint",
    )
    add_assume_stopped_argument(parser)
    add_database_argument(parser)


@dataclass(frozen=True, slots=True)
class _Import:
    """What an import was asked to do."""

    names: Sequence[str]
    checkpoints: Sequence[Checkpoint]
    settings: Settings
    arguments: Namespace

    def plan(self, snapshot: Snapshot) -> Plan:
        if not self.arguments.accept_loss:
            self._refuse_foreign(snapshot)
        return recovery.plan(
            self.checkpoints,
            snapshot,
            force=self.arguments.force,
            accept_loss=self.arguments.accept_loss,
        )

    def _refuse_foreign(self, snapshot: Snapshot) -> None:
        foreign = [
            f"{files.input_title(self.names[number])} is the checkpoint of node "
            f"{self.checkpoints[number].node_id}, and this database is that of "
            f"{snapshot.node_id}; --accept-loss imports it anyway"
            for number in recovery.foreign(self.checkpoints, snapshot)
        ]
        if foreign:
            raise RefusedError(*foreign)

    def write_undo(
        self, cursors: Sequence[Cursor], snapshot: Snapshot, db_path: str, now: datetime
    ) -> str:
        """Save what these cursors are about to overwrite; return the file's name."""
        taken = checkpoint.build_undo(cursors, snapshot, db_path, now)
        return files.write_undo(self.arguments.files[0], now, to_json(taken))


def run(arguments: Namespace) -> int:
    """Restore what can be restored; exit status 0, or 3 if a position was withheld."""
    with busy("reading the checkpoints"):
        names, checkpoints = _read_checkpoints(arguments.files)
    job = _Import(names, checkpoints, read_settings(arguments.db), arguments)
    now = datetime.now(UTC)
    undo = None
    store = open_store(job.settings)
    node = RunningNode(job.settings, arguments)
    node.look()
    with store.transaction(dry_run=arguments.dry_run) as transaction:
        with busy("counting the facts that the database holds"):
            # Cursors without a position matter to the undo checkpoint alone.
            facts = recovery.facts_to_look_up(checkpoints)
            snapshot = transaction.read(facts, empty=arguments.force)
        plan = job.plan(snapshot)
        cursors = plan.cursors(now.isoformat())
        if arguments.dry_run:
            node.tell(snapshot.node_id)
        elif cursors or plan.table_missing:
            node.refuse(snapshot.node_id)
            if arguments.force and not arguments.no_undo and plan.overwrites:
                undo = job.write_undo(cursors, snapshot, store.name, now)
            with busy("writing the positions"):
                transaction.apply(cursors)
            # Whoever has started the node meanwhile waits for the lock that is held here.
            node.look()
            node.refuse(snapshot.node_id)
    _report(plan, job, undo)
    return 3 if plan.count(Outcome.FACTS_MISSING) else 0


def _read_checkpoints(names: Sequence[str]) -> tuple[Sequence[str], Sequence[Checkpoint]]:
    """Read every file named; in a directory an invalid one is warned about and passed over."""
    found = sources.read(names)
    problems = [line for item in found if item.directory is None for line in item.problems]
    if problems:
        raise CheckpointError(*problems)
    for item in found:
        for line in item.problems[:1]:
            tell_warning(f"passed over: {line}")
    read = {item.name: item.checkpoint for item in found if item.checkpoint}
    if not read:
        raise CheckpointError(f"no valid checkpoint in {', '.join(names)}")
    return list(read), list(read.values())


def _report(plan: Plan, job: _Import, undo: str | None) -> None:
    for group in importing.lines(plan, job.names, job.settings.federation_pull_interval_s):
        tell_some(group.lines, group.total)
    if undo is not None:
        tell(f"undo checkpoint written: {undo}; importing it with --force puts them back")
    if job.arguments.json:
        document = importing.document(plan, job.names, dry_run=job.arguments.dry_run, undo=undo)
        write_result(json.dumps(document, indent=2))
    tell(importing.summary(plan, dry_run=job.arguments.dry_run))


COMMAND = Command(
    name="cursor-import",
    standalone="import",
    summary="restore replication cursors from a checkpoint file after DB loss",
    description=(
        "Put the positions of a checkpoint back, so that the node resumes where it was instead "
        "of fetching every fact again. Only empty cursors are filled, unless --force is given. "
        "A position whose facts the database lacks is withheld: restoring it would skip them "
        "for ever. Everything is done in one transaction, or nothing."
    ),
    examples=(
        ("Restore after the cursor table was lost:", "{prog} /backup/stigmem-cursors-latest.json"),
        ("Look first:", "{prog} --dry-run /backup/stigmem-cursors-latest.json"),
        ("After restoring last night's backup, from all checkpoints kept:", "{prog} /backup/"),
    ),
    exit_status=(
        (0, "done: every position was restored or skipped for the reason given"),
        (1, "failed or refused; nothing was changed"),
        (2, "usage error"),
        (3, "done, but at least one position was withheld because facts are missing"),
    ),
    add_arguments=add_arguments,
    run=run,
)
