"""What a check has found: tables for a person, and a document for a program."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stigmem_cursor_plugin.checkpoints.reading import Source
from stigmem_cursor_plugin.core import positions
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.findings import ACTIVE, DatabaseFitness, PeerFitness
from stigmem_cursor_plugin.core.recovery import Decision, Plan
from stigmem_cursor_plugin.reports.formatting import Repull, duration, table
from stigmem_cursor_plugin.reports.importing import plan_document

RESULT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a check has found; ``pull_interval`` is the node's, in seconds."""

    files: Sequence[Source]
    database: DatabaseFitness | None
    plan: Plan | None
    problems: Sequence[str]
    now: datetime
    pull_interval: int


def lines(findings: Findings) -> list[str]:
    """Return what there is to see: a line for each valid file, and a table of the database."""
    shown = [
        _file_line(item.name, item.checkpoint, findings.now)
        for item in findings.files
        if item.checkpoint
    ]
    if findings.plan is not None:
        return shown + _plan_table(findings.plan)
    if findings.database is not None:
        return shown + _database_table(findings.database, findings.now, findings.pull_interval)
    return shown


def _file_line(name: str, taken: Checkpoint, now: datetime) -> str:
    age = (now - taken.time).total_seconds()
    when = f"{duration(age)} ago" if age >= 0 else f"{duration(-age)} in the future"
    return f"{name}: valid, {taken.positions:,} position(s), taken {taken.timestamp} ({when})"


def _database_table(database: DatabaseFitness, now: datetime, pull_interval: int) -> list[str]:
    """Return the peers of a database, their positions, and what losing those would cost."""
    heading = ("PEER", "DIRECTION", "POSITION", "AGE", "FACTS", "RE-PULL")
    return table([heading, *(_peer_row(item, now, pull_interval) for item in database.peers)])


def _peer_row(item: PeerFitness, now: datetime, pull_interval: int) -> Sequence[str]:
    status = "" if item.peer.status == ACTIVE else f" ({item.peer.status})"
    age = item.age(now)
    return (
        item.peer.node_id + status,
        item.direction,
        positions.shown(item.position),
        duration(age.total_seconds()) if age else "-",
        f"{item.facts:,}",
        duration(Repull(item.facts, pull_interval).seconds),
    )


def _plan_table(plan: Plan) -> list[str]:
    """Return what an import would do, beside what the database has."""
    heading = ("PEER", "DIRECTION", "CHECKPOINT", "DATABASE", "IMPORT")
    return table([heading, *(_decision_row(decision) for decision in plan.decisions)])


def _decision_row(decision: Decision) -> Sequence[str]:
    entry = decision.entry
    return (
        entry.peer_node_id,
        entry.direction,
        positions.shown(entry.cursor),
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
        return positions.shown(database)
    ahead = (here - there).total_seconds()
    return f"{duration(abs(ahead))} {'ahead' if ahead >= 0 else 'behind'}"


def document(findings: Findings) -> dict[str, Any]:
    """Return everything found as one document (``schema/cursor-check-result.schema.json``)."""
    now, interval = findings.now, findings.pull_interval
    names = [item.name for item in findings.files if item.checkpoint]
    database = findings.database
    return {
        "version": RESULT_VERSION,
        "command": "cursor-check",
        "fit": not findings.problems,
        "problems": list(findings.problems),
        "files": [_file_document(item, now) for item in findings.files],
        "database": database and _database_document(database, now, interval),
        "import": findings.plan and plan_document(findings.plan, names),
    }


def _file_document(file: Source, now: datetime) -> dict[str, Any]:
    taken = file.checkpoint
    return {
        "file": file.name,
        "valid": taken is not None,
        "checkpoint_timestamp": taken and taken.timestamp,
        "age_s": taken and (now - taken.time).total_seconds(),
        "node_id": taken and taken.node_id,
        "positions": taken and taken.positions,
    }


def _database_document(
    database: DatabaseFitness, now: datetime, pull_interval: int
) -> dict[str, Any]:
    return {
        "db_path": database.name,
        "node_id": database.node_id,
        "table_missing": database.table_missing,
        "peers": [_peer_document(item, now, pull_interval) for item in database.peers],
    }


def _peer_document(item: PeerFitness, now: datetime, pull_interval: int) -> dict[str, Any]:
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
        "lost": item.lost,
    }
