"""What a check has found, in the Prometheus text format."""

from datetime import UTC, datetime
from typing import Any

from stigmem_cursor_plugin.core.findings import DatabaseFitness
from stigmem_cursor_plugin.errors import UsageError
from stigmem_cursor_plugin.reports.checking import Findings

PREFIX = "stigmem_cursor_"


def text(findings: Findings) -> str:
    """Return the metrics; times are seconds since 1970, ages and lags seconds.

    Raises :class:`UsageError` where the extra ``metrics`` is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            "--metrics needs prometheus-client; install 'stigmem-cursor-plugin[metrics]'"
        ) from error
    registry = CollectorRegistry()
    _result(registry, findings)
    _checkpoints(registry, findings)
    if findings.database is not None:
        _positions(registry, findings.database, findings.now)
    written: str = generate_latest(registry).decode()
    return written


def _gauge(registry: Any, name: str, what: str, *labels: str) -> Any:
    from prometheus_client import Gauge  # noqa: PLC0415

    return Gauge(PREFIX + name, what, labels, registry=registry)


def _result(registry: Any, findings: Findings) -> None:
    fit = _gauge(registry, "check_fit", "Whether the last check found everything fit.")
    fit.set(not findings.problems)
    when = _gauge(registry, "check_timestamp_seconds", "When the last check ended.")
    when.set(datetime.now(UTC).timestamp())


def _checkpoints(registry: Any, findings: Findings) -> None:
    taken = _gauge(
        registry, "checkpoint_timestamp_seconds", "When a checkpoint was taken.", "checkpoint"
    )
    age = _gauge(registry, "checkpoint_age_seconds", "Its age at the last check.", "checkpoint")
    held = _gauge(registry, "checkpoint_positions", "The positions in it.", "checkpoint")
    for item in findings.files:
        if item.checkpoint is not None:
            taken.labels(item.name).set(item.checkpoint.time.timestamp())
            age.labels(item.name).set((findings.now - item.checkpoint.time).total_seconds())
            held.labels(item.name).set(item.checkpoint.positions)


def _positions(registry: Any, database: DatabaseFitness, now: datetime) -> None:
    cursors = _gauge(
        registry,
        "cursors",
        "Cursors with a position (held), and those of active peers that sent facts and have none "
        "(lost).",
        "state",
    )
    held = sum(1 for item in database.peers if item.position is not None)
    cursors.labels("held").set(held)
    cursors.labels("lost").set(sum(1 for item in database.peers if item.lost))
    missing = _gauge(registry, "table_missing", "Whether the cursor table is missing.")
    missing.set(database.table_missing)
    lag = _gauge(
        registry,
        "position_lag_seconds",
        "How long ago a position is, at the last check.",
        "peer",
        "direction",
    )
    for item in database.peers:
        age = item.age(now)
        if age is not None:
            lag.labels(item.peer.node_id, item.direction).set(age.total_seconds())
