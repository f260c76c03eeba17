"""What a check has found: tables for a person, and a document for a program."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from stigmem_cursor_plugin.core import positions
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.checkpoint_file import CheckpointFile
from stigmem_cursor_plugin.core.cost import Repull
from stigmem_cursor_plugin.core.decision import Decision
from stigmem_cursor_plugin.core.findings import DatabaseState, Findings, PeerState
from stigmem_cursor_plugin.core.recovery import Plan
from stigmem_cursor_plugin.reports.formatting import duration, shown, table
from stigmem_cursor_plugin.reports.importing import plan_document
from stigmem_cursor_plugin.reports.problems import passed_over, sentence
from stigmem_cursor_plugin.reports.program import Program
from stigmem_cursor_plugin.terminal import title_of

RESULT_VERSION = 1


def lines(findings: Findings, width: int | None = None) -> list[str]:
    """Return what there is to see: a line for each valid file, and a table of the database.

    Its lines are no longer than *width*, where that is given and leaves room for the names.
    """
    files = [_file_line(file, findings.now) for file in findings.selection.checkpoints]
    if findings.plan is not None:
        return files + table(_plan_rows(findings.plan), width)
    if findings.database is not None:
        rows = _database_rows(findings.database, findings.now, findings.pull_interval)
        return files + table(rows, width)
    return files


def _file_line(file: Checkpoint, now: datetime) -> str:
    age = (now - file.time).total_seconds()
    when = f"{duration(age)} ago" if age >= 0 else f"{duration(-age)} in the future"
    count = f"{file.position_count:,} position(s)"
    return f"{title_of(file.name)}: valid, {count}, taken {file.timestamp} ({when})"


def _database_rows(
    database: DatabaseState, now: datetime, pull_interval: int
) -> Sequence[Sequence[str]]:
    """Return the peers of a database, their positions, and what losing those would cost."""
    heading = ("PEER", "DIRECTION", "POSITION", "AGE", "FACTS", "RE-PULL", "CATCH-UP")
    return [heading, *(_peer_row(item, now, pull_interval) for item in database.peers)]


def _peer_row(item: PeerState, now: datetime, pull_interval: int) -> Sequence[str]:
    status = "" if item.peer.active else f" ({item.peer.status})"
    age, repull = item.age(now), Repull(item.facts, pull_interval)
    return (
        item.peer.node_id + status,
        item.direction,
        shown(item.position),
        duration(age.total_seconds()) if age else "-",
        f"{item.facts:,}",
        duration(repull.seconds),
        duration(repull.catch_up_seconds),
    )


def _plan_rows(plan: Plan) -> Sequence[Sequence[str]]:
    """Return what an import would do, beside what the database has."""
    heading = ("PEER", "DIRECTION", "CHECKPOINT", "DATABASE", "IMPORT")
    return [heading, *(_decision_row(decision) for decision in plan.decisions)]


def _decision_row(decision: Decision) -> Sequence[str]:
    entry = decision.entry
    return (
        entry.peer_node_id,
        entry.direction,
        shown(entry.cursor),
        _beside(entry.cursor, decision.previous),
        decision.outcome.value,
    )


def _beside(checkpoint: str | None, database: str | None) -> str:
    """Return how far the database is from the checkpoint."""
    if database is None:
        return "none"
    if checkpoint == database:
        return "same"
    there, here = positions.time_of(checkpoint), positions.time_of(database)
    if there is None or here is None:
        return shown(database)
    ahead = (here - there).total_seconds()
    return f"{duration(abs(ahead))} {'ahead' if ahead >= 0 else 'behind'}"


def document(findings: Findings, program: Program) -> dict[str, Any]:
    """Return everything found as one document (``schema/cursor-check-result.schema.json``)."""
    now, interval = findings.now, findings.pull_interval
    database, selection = findings.database, findings.selection
    return {
        "version": RESULT_VERSION,
        "command": "cursor-check",
        "fit": findings.fit,
        "problems": [
            *(sentence(problem, program) for problem in findings.problems),
            *findings.failure,
        ],
        "passed_over": [passed_over(problem, program) for problem in selection.passed_over],
        "files": [_file_document(file, now) for file in findings.files],
        "database": database and _database_document(database, now, interval),
        "import": findings.plan and plan_document(findings.plan),
    }


def _file_document(file: CheckpointFile, now: datetime) -> dict[str, Any]:
    checkpoint = file.checkpoint
    return {
        "file": file.name,
        "valid": checkpoint is not None,
        "checkpoint_timestamp": checkpoint and checkpoint.timestamp,
        "age_s": checkpoint and (now - checkpoint.time).total_seconds(),
        "node_id": checkpoint and checkpoint.node_id,
        "positions": checkpoint and checkpoint.position_count,
    }


def _database_document(
    database: DatabaseState, now: datetime, pull_interval: int
) -> dict[str, Any]:
    return {
        "db_path": database.name,
        "node_id": database.node_id,
        "table_missing": database.table_missing,
        "peers": [_peer_document(item, now, pull_interval) for item in database.peers],
    }


def _peer_document(item: PeerState, now: datetime, pull_interval: int) -> dict[str, Any]:
    age, repull = item.age(now), Repull(item.facts, pull_interval)
    return {
        "peer_id": item.peer.id,
        "peer_node_id": item.peer.node_id,
        "peer_status": item.peer.status,
        "direction": item.direction,
        "cursor": item.position,
        "age_s": age.total_seconds() if age else None,
        "facts": item.facts,
        "repull_pages": repull.pages,
        "repull_s": repull.seconds,
        "catch_up_s": repull.catch_up_seconds,
        "lost": item.lost,
    }
