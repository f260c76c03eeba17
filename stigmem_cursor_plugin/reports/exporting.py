"""What an export has written, or why it kept what was there, in words."""

from collections.abc import Iterator, Sequence

from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.checkpoint_file import CheckpointFile
from stigmem_cursor_plugin.core.loss import Loss, LossKind
from stigmem_cursor_plugin.core.remedies import Remedy
from stigmem_cursor_plugin.core.retention import Kept
from stigmem_cursor_plugin.core.snapshot import Snapshot
from stigmem_cursor_plugin.reports.formatting import apart, shown
from stigmem_cursor_plugin.reports.program import Program


def written(name: str, checkpoint: Checkpoint) -> str:
    """Return the documented line."""
    return f"checkpoint written: {name} ({len(checkpoint.entries)} cursor(s))"


def loss(found: Loss) -> str:
    """Return one loss in words."""
    waits = f", {found.peer.status}" if found.peer.awaits_approval else ""
    who = f"peer {found.peer.node_id} ({found.entry.direction}{waits})"
    before = shown(found.entry.cursor)
    match found.kind:
        case LossKind.POSITION_GONE:
            return f"{who} has no position; it was {before}"
        case LossKind.MOVED_BACK:
            now, before = apart(found.position, found.entry.cursor)
            doubt = f", and nothing shows that the facts up to {now} are there"
            return f"{who} is back at {now}; it was {before}{doubt if found.is_false else ''}"
        case LossKind.FACTS_GONE:
            return f"{who} has lost {found.missing:,} fact(s) up to its position {before}"


def nothing_left(snapshot: Snapshot, program: Program) -> Sequence[str]:
    """Return why there is nothing to write, and what to do.

    The host stores the facts of a page one by one, and the position after the last: for the
    seconds of its first pull a new node looks like one that has lost every position (0.9.0a12).
    """
    to_do = f"{program.recovery()}; --force writes an empty checkpoint"
    if snapshot.cursors is None:
        return f"{snapshot.database} has no table replication_cursors", to_do
    lost = f"{snapshot.database} has lost every position, or its first pull is under way"
    return lost, f"if this stays, {to_do}"


def not_replaced(kept: Kept, earlier: Checkpoint, node_id: str | None) -> str:
    """Return why FILE was kept: it is another node's, or no other file holds what it does."""
    if kept is Kept.OTHER_NODE:
        return (
            f"{earlier.name} is the checkpoint of node {earlier.node_id}, and this database is "
            f"that of {node_id}; nothing was written; name another file, or --force to replace it"
        )
    undo = kept is Kept.UNDO
    what = "is the undo checkpoint of an import" if undo else "was written after a loss"
    return (
        f"kept {earlier.name}: it {what}; name another file, or the directory of the "
        "checkpoints; --force replaces it"
    )


def seems_foreign(earlier: Checkpoint) -> str:
    """Return why FILE was kept: it does not say whose it is, and shows no sign that it is ours."""
    database = f"is of the database {earlier.db_path}, and " if earlier.db_path else ""
    return (
        f"{earlier.name} seems to be another node's checkpoint: it {database}knows none of the "
        "peers of this one; nothing was written; name another file, or --force to replace it"
    )


def damaged(file: CheckpointFile) -> Sequence[str]:
    """Return why FILE was kept: it is no valid checkpoint, and may hold what is lost."""
    return (
        *file.problems,
        f"kept {file.name}: it holds positions; repair it or move it away; --force replaces it",
    )


def unusable(entry: Entry) -> str:
    """Return that a position cannot be written down."""
    return (
        f"peer {entry.peer_node_id} ({entry.direction}): its position holds control "
        "characters; it was written as null"
    )


def kept_file(name: str, steps: Sequence[Remedy], program: Program) -> Sequence[str]:
    """Return why FILE was kept, and what to do."""
    return (
        f"kept {name}: it holds what this database has lost; --force replaces it",
        *_to_do(name, steps, program),
    )


def kept_directory(name: str, steps: Sequence[Remedy], program: Program) -> Sequence[str]:
    """Return why nothing in a directory was removed, and what to do."""
    return (
        f"kept every checkpoint in {name}: they hold what this database has lost; --force "
        "accepts the loss",
        *_to_do(name, steps, program),
    )


def _to_do(name: str, steps: Sequence[Remedy], program: Program) -> Iterator[str]:
    approve = "approve the peers that wait for it, then " if Remedy.APPROVE in steps else ""
    yield f"{approve}stop the node and run {', then '.join(_commands(name, steps, program))}"
    if Remedy.CATCH_UP in steps or Remedy.IMPORT_WITH_FORCE in steps:
        yield program.acceptance(name)


def _commands(name: str, steps: Sequence[Remedy], program: Program) -> Iterator[str]:
    for step in steps:
        match step:
            case Remedy.IMPORT:
                yield program.command("import", file=name)
            case Remedy.IMPORT_WITH_FORCE:
                yield program.command("import", "--force", file=name)
            case Remedy.CATCH_UP:
                yield program.command("catchup")
