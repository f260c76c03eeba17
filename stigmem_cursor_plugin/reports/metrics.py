"""What a check has found, in the Prometheus text format."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from stigmem_cursor_plugin.core.checkpoint import Checkpoint, newest_first
from stigmem_cursor_plugin.core.findings import DatabaseState, Findings
from stigmem_cursor_plugin.errors import UsageError

PREFIX = "stigmem_cursor_"


def need_library() -> None:
    """Raise :class:`UsageError` where the extra ``metrics`` is not installed."""
    try:
        import prometheus_client  # noqa: F401, PLC0415  costs much, and few checks need it
    except ImportError as error:
        raise UsageError(
            "--metrics needs prometheus-client; install 'stigmem-cursor-plugin[metrics]'"
        ) from error


def text(findings: Findings, ended: datetime) -> str:
    """Return the metrics; times are seconds since 1970, ages and lags seconds.

    *ended* is when the check did (aware).
    """
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry()
    _result(registry, findings, ended)
    _checkpoints(registry, findings)
    if findings.database is not None:
        _positions(registry, findings.database, findings.now)
    written: str = generate_latest(registry).decode()
    return written


def _gauge(registry: Any, name: str, what: str, *labels: str) -> Any:
    from prometheus_client import Gauge  # noqa: PLC0415

    return Gauge(PREFIX + name, what, labels, registry=registry)


def _result(registry: Any, findings: Findings, ended: datetime) -> None:
    fit = _gauge(registry, "check_fit", "Whether the last check found everything fit.")
    fit.set(findings.fit)
    when = _gauge(registry, "check_timestamp_seconds", "When the last check ended.")
    when.set(ended.timestamp())


def _checkpoints(registry: Any, findings: Findings) -> None:
    """Measure the newest checkpoint of each file or directory that was named."""
    time = _gauge(
        registry, "checkpoint_timestamp_seconds", "When the newest checkpoint was taken.", "source"
    )
    age = _gauge(registry, "checkpoint_age_seconds", "Its age at the last check.", "source")
    held = _gauge(registry, "checkpoint_positions", "The positions in it.", "source")
    for name, found in findings.selection.by_source.items():
        source = name.encode("utf-8", "backslashreplace").decode()  # not every name is UTF-8
        newest: Sequence[Checkpoint] = newest_first(found, findings.now)[:1]
        for checkpoint in newest:
            time.labels(source).set(checkpoint.time.timestamp())
            age.labels(source).set((findings.now - checkpoint.time).total_seconds())
            held.labels(source).set(checkpoint.position_count)


def _positions(registry: Any, database: DatabaseState, now: datetime) -> None:
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
        age = item.age(now) if item.peer.active else None
        if age is not None:
            lag.labels(item.peer.node_id, item.direction).set(age.total_seconds())
