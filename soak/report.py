"""The report of all soaks that were recorded: ``docs/soak.md``."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from soak.backups import KEPT_BACKUPS
from soak.mesh import AT_FIRST, INTERVAL, NAMES
from soak.results import Record
from soak.schedule import Fault
from soak.site import BACKUP_EVERY, EXPORT_EVERY, KEPT_CHECKPOINTS, WRITE_EVERY
from tools.hosts import ROOT

PAGE = ROOT / "docs" / "soak.md"
WAYS = {False: "without relays", True: "with relays"}
FOUND = (
    (
        "An alarm about facts that no peer has any more had no end: the peer had lost its database"
        " too. The alarm now names the command that accepts the loss",
        "tests/reports/test_exporting.py",
    ),
    (
        "Catch-up skipped facts of a node that did not answer, as the pull loop does, for ever. It"
        " now stops before them",
        "tests/acceptance/catchup/test_unknown_origin.py",
    ),
    (
        "An export during a node's first pull said that every position was lost, and named no"
        " way on without a checkpoint",
        "tests/acceptance/export/test_export.py",
    ),
    (
        "Catch-up asked an origin that does not answer for each of its facts, up to ten seconds"
        " each time. It now asks once a minute",
        "tests/host/test_remembering.py",
    ),
    (
        "An alarm named an import that could not end it: the database held the facts of an older"
        " position only. It now names catch-up too",
        "tests/core/test_remedies.py",
    ),
    (
        "A check of a database with a directory kept naming a fact that no peer has any more. It"
        " now compares with the checkpoints that export compares with",
        "tests/core/test_findings.py",
    ),
    (
        "A check kept naming the lost position of a node that is gone for good: import withholds"
        " it, and nobody can be asked. Catch-up now says to revoke that peer",
        "tests/acceptance/test_played.py",
    ),
    (
        "A request that was given up printed a Python warning",
        "tests/host/test_asking.py",
    ),
)
"""What was found and fixed, and the test of its own that shows it."""


def picture_of(relays: bool) -> Path:
    """Return where the picture of the last soak of a kind is."""
    return PAGE.with_name("soak-relays.svg" if relays else "soak.svg")


def summary(one: Record) -> str:
    """Return what a soak came to, in a few lines."""
    lines = [
        f"seed {one.seed}, {WAYS[one.relays]}, {one.seconds:.0f} s, {_program(one)}",
        f"{sum(one.faults.values())} faults, {one.losses} losses, {one.alarms} with an alarm",
        f"facts missing: {one.missing}, unverifiable: {one.unverifiable}, twice: {one.twice}",
        *(f"problem: {problem}" for problem in one.problems),
    ]
    return "\n".join(lines)


def write(records: Sequence[Record], path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(page(records), encoding="utf-8")


def page(records: Sequence[Record]) -> str:
    """Return the page."""
    ours = [one for one in records if one.plugin]
    parts = [_heading(ours), _results(ours)]
    for relays in (False, True):
        found = [one for one in ours if one.relays is relays]
        if found:
            parts += [f"## {WAYS[relays].capitalize()}", _picture(found), _kinds(found)]
    hosts = [one for one in records if not one.plugin]
    if hosts:
        parts.append(_beside_the_host(ours, hosts))
    parts.append(_found())
    return "\n\n".join(parts) + "\n"


def _heading(records: Sequence[Record]) -> str:
    minutes = sum(one.seconds for one in records) / 60
    host, machine = records[-1].host, records[-1].machine
    return f"""# Four nodes under fire

`make soak RECORD=1` writes this page. Do not edit it. Recorded with these commands:
{len(records)} soak(s), {minutes:.0f} minute(s) in all, of {host}, {machine}.

- Four real nodes: {", ".join(NAMES)}. Each pulls from the three others every {INTERVAL} s.
- Each node has {AT_FIRST} facts at first. A client writes one to each node every {WRITE_EVERY} s.
- Beside each node, every {EXPORT_EVERY:.0f} s: an export to a FILE, and one to a directory
  (`--keep={KEPT_CHECKPOINTS}`).
- Every {BACKUP_EVERY:.0f} s: a backup of the database. The newest {KEPT_BACKUPS} are kept.
- A seed decides which faults come, when and where. They come in rounds: in each, every kind comes
  once. What comes on top of a loss is drawn apart from that.
- A program recovers each node. It reads exit statuses and messages, and follows
  [the runbook](runbook.md): stop the node, import, do what the messages name, start.
- With relays, all nodes trust each other as relays, and node-d leaves for good half way.
- At the end nobody writes any more. Then every node must hold every fact that another offers, and
  no fact twice. Each loss must have raised an alarm, by an export or by `cursor-check`, and each
  alarm must have ended. No checkpoint may be torn, no stray file left. No command may have ended
  with a traceback, or with an exit status that its man page does not name."""


def _results(records: Sequence[Record]) -> str:
    heading = (
        "| | seed | seconds | facts at a node | faults | losses | with an alarm | facts missing | "
        "twice | wrong |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    rows = [
        f"| {WAYS[one.relays]} | {one.seed} | {one.seconds:.0f} | {max(one.held.values()):,} | "
        f"{sum(one.faults.values())} | {one.losses} | {one.alarms} | {one.missing} | {one.twice} | "
        f"{len(one.problems)} |"
        for one in records
    ]
    return "\n".join(["## Facts missing", "", heading, *rows, *_unverifiable(records)])


def _unverifiable(records: Sequence[Record]) -> Iterator[str]:
    count = sum(one.unverifiable for one in records)
    if count:
        yield ""
        yield (
            f"Not counted as missing: {count:,} facts of the node that is gone, at nodes that lost "
            "their whole database after it had left. They lost its key too, and nobody is there to "
            "ask for it. Catch-up stopped before these facts, and the program asked for "
            "`--skip-refused`."
        )
    for one in records:
        for problem in one.problems:
            yield ""
            yield f"Wrong with seed {one.seed}, {WAYS[one.relays]}: {problem}"


def _picture(records: Sequence[Record]) -> str:
    name = picture_of(records[0].relays).name
    return (
        f"![A line for each node: how far behind it was, its faults and its recoveries]({name})\n\n"
        "The picture shows the last soak. A triangle is a fault. A band lasts\n"
        "from a loss until every alarm has ended. The line breaks off where a node has no database."
    )


def _kinds(records: Sequence[Record]) -> str:
    faults = _sum(one.faults for one in records)
    rows = [
        f"| {fault.value} | {faults[fault.value]} | {_times(fault.value, records)} |"
        for fault in Fault
        if faults[fault.value]
    ]
    commands = _sum(one.commands for one in records)
    said = ", ".join(f"{count:,} of `{name}`" for name, count in sorted(commands.items()))
    fetched, whole = sum(one.fetched for one in records), sum(one.whole for one in records)
    losses = sum(one.losses for one in records)
    return "\n".join(
        [
            "| what went wrong | times | recovered in, median | longest |",
            "|---|---|---|---|",
            *rows,
            "",
            f"Commands run: {said}. Killed on purpose: {sum(one.killed for one in records)}. "
            f"Exports that did not exit 0: {sum(one.refused for one in records):,}. During a loss "
            "that is the alarm.",
            "",
            f"Facts that catch-up went through after the {losses} losses: {fetched:,}. Full "
            f"re-pulls would have gone through {whole:,}.",
        ]
    )


def _times(kind: str, records: Iterable[Record]) -> str:
    found = [one.recovered[kind] for one in records if kind in one.recovered]
    if not found:
        return "| "
    # The median of medians would be of no soak: the middle soak's stands for all.
    middle = sorted(one.median for one in found)[len(found) // 2]
    return f"{middle:.0f} s | {max(one.longest for one in found):.0f} s"


def _beside_the_host(ours: Sequence[Record], hosts: Sequence[Record]) -> str:
    """Return both programs beside each other, for each seed that the host's has played."""
    heading = (
        "| | seed | seconds | host: facts missing | twice | losses | with an alarm | tracebacks | "
        "plugin: facts missing |\n|---|---|---|---|---|---|---|---|---|"
    )
    mine = {(one.relays, one.seed): f"{one.missing} in {one.seconds:.0f} s" for one in ours}
    rows = [
        f"| {WAYS[one.relays]} | {one.seed} | {one.seconds:.0f} | {one.missing:,} | {one.twice} | "
        f"{one.losses} | {one.alarms} | {one.tracebacks} | "
        f"{mine.get((one.relays, one.seed), 'not played')} |"
        for one in hosts
    ]
    text = (
        "The same faults, with the host's own `cursor-export` and `cursor-import` (`make soak "
        "HOST=1`). They know one FILE and no directory, no check and no catch-up. So the program "
        "stops the node, restores a backup or registers the peers again, imports the FILE, and "
        "starts the node."
    )
    return "\n".join(["## Beside the host's own commands", "", text, "", heading, *rows])


def _found() -> str:
    rows = [f"- {what} (`{test}`)." for what, test in FOUND]
    return "\n".join(
        ["## What the soaks found", "", "Fixed, each with a test of its own:", "", *rows]
    )


def _program(one: Record) -> str:
    return "these commands" if one.plugin else "the host's own commands"


def _sum(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return total
