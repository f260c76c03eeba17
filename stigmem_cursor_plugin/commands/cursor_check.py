"""``cursor-check``: are these checkpoints, this database, this backup fit to recover from."""

import json
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from stigmem_cursor_plugin.checkpoints import files
from stigmem_cursor_plugin.checkpoints import reading as sources
from stigmem_cursor_plugin.checkpoints.reading import Source
from stigmem_cursor_plugin.commands.base import Command, add_database_argument, path
from stigmem_cursor_plugin.core import findings as fitness
from stigmem_cursor_plugin.core import recovery
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.errors import CursorError, UsageError
from stigmem_cursor_plugin.host.settings import Settings, read_settings
from stigmem_cursor_plugin.reports import checking, metrics
from stigmem_cursor_plugin.reports.checking import Findings
from stigmem_cursor_plugin.reports.formatting import duration
from stigmem_cursor_plugin.stores import open_store
from stigmem_cursor_plugin.terminal import busy, printable, tell_error, write_result

_CLOCKS_DIFFER = timedelta(minutes=1)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is not a duration such as 90s, 30m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of ``cursor-check``."""
    parser.add_argument(
        "files",
        metavar="FILE",
        type=path,
        nargs="*",
        help='checkpoint to check; "-" is stdin, a directory means the checkpoints in it '
        "(default: check the database)",
    )
    parser.add_argument(
        "--max-age",
        metavar="DURATION",
        type=_duration,
        help="fail a checkpoint older than this, such as 30m, 24h or 7d; in a directory the "
        "newest counts",
    )
    parser.add_argument(
        "--json", action="store_true", help="write the result to stdout as one JSON document"
    )
    parser.add_argument(
        "--metrics",
        metavar="FILE",
        type=path,
        help='write the result for Prometheus, as for the textfile collector of node_exporter; "-" '
        "is stdout",
    )
    add_database_argument(parser)


def run(arguments: Namespace) -> int:
    """Check what was named; exit status 0 if it is fit, 1 if it is not."""
    if arguments.json and arguments.metrics == files.STANDARD_STREAM:
        raise UsageError("--json and --metrics - both write to standard output")
    now = datetime.now(UTC)
    try:
        findings = _find(arguments, now)
    except CursorError:
        _write_metrics(arguments.metrics, Findings([], None, None, ["failed"], now, 0))
        raise
    _show(arguments, findings)
    _write_metrics(arguments.metrics, findings)
    return 1 if findings.problems else 0


def _write_metrics(name: str | None, findings: Findings) -> None:
    if name is None:
        return
    text = metrics.text(findings)
    if name == files.STANDARD_STREAM:
        write_result(text)
    else:
        # node_exporter runs as another user, and there is nothing secret in it.
        files.write(name, [text], mode=0o644)


def _show(arguments: Namespace, findings: Findings) -> None:
    if arguments.json:
        write_result(json.dumps(checking.document(findings), indent=2))
    else:
        shown = checking.lines(findings)
        if shown and arguments.metrics != files.STANDARD_STREAM:
            write_result("\n".join(map(printable, shown)))
        for problem in findings.problems:
            tell_error(problem)


def _find(arguments: Namespace, now: datetime) -> Findings:
    with busy("reading the checkpoints"):
        found = sources.read(arguments.files)
    problems = [line for item in found for line in item.problems]
    problems += _stale(found, now, arguments.max_age)
    settings, database, plan = Settings(), None, None
    if arguments.db is not None or not arguments.files:
        taken = [item.checkpoint for item in found if item.checkpoint]
        settings = read_settings(arguments.db)
        store = open_store(settings)
        counting = busy("counting the facts that the database holds")
        with counting, store.transaction(dry_run=True) as transaction:
            snapshot = transaction.read(recovery.facts_to_look_up(taken))
        database = fitness.judge_database(store.name, snapshot)
        if arguments.files:
            plan = recovery.plan(taken, snapshot)
            problems += fitness.foreign_problems(found, snapshot)
            problems += fitness.import_problems(plan)
        else:
            problems += database.problems
    interval = settings.federation_pull_interval_s
    return Findings(found, database, plan, problems, now, interval)


def _stale(found: Sequence[Source], now: datetime, limit: timedelta | None) -> Iterator[str]:
    """Find the files that are too old, or not written yet; of a directory only the newest."""
    newest: dict[str, tuple[str, Checkpoint]] = {}
    for item in found:
        if item.checkpoint is not None:
            key = item.directory or item.name
            if key not in newest or newest[key][1].time < item.checkpoint.time:
                newest[key] = (item.name, item.checkpoint)
    for name, taken in newest.values():
        age = now - taken.time
        if limit is not None and age > limit:
            yield (
                f"{name}: {duration(age.total_seconds())} old, more than "
                f"{duration(limit.total_seconds())}; is cursor-export still scheduled?"
            )
        if limit is not None and age < -_CLOCKS_DIFFER:
            yield f"{name}: dated in the future ({taken.timestamp}); is a clock wrong?"


COMMAND = Command(
    name="cursor-check",
    standalone="check",
    summary="check whether checkpoints or a database are fit to recover from",
    description=(
        "With FILEs, check that each is a valid checkpoint. With a database, show for each peer "
        "how far this node has pulled and what losing that position would cost; fail if "
        "positions are lost. With both, show what cursor-import would do. Nothing is changed, "
        "and a database may be a backup on read-only media or in use by a node."
    ),
    examples=(
        ("Check the node's database:", "{prog}"),
        ("Check that cron still takes checkpoints:", "{prog} --max-age 30m /backup/"),
        (
            "Check last night's backup against them:",
            "{prog} --db /backup/stigmem-20260502.db /backup/",
        ),
        (
            "Let Prometheus know:",
            "{prog} --metrics /var/lib/metrics/cursors.prom",
        ),
    ),
    exit_status=(
        (0, "fit"),
        (1, "not fit, or the check failed"),
        (2, "usage error"),
    ),
    add_arguments=add_arguments,
    run=run,
)
