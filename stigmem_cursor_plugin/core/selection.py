"""Which of the files that were read count for a node, and which do not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stigmem_cursor_plugin.core import rotation
from stigmem_cursor_plugin.core.checkpoint import Checkpoint, is_from_the_future
from stigmem_cursor_plugin.core.checkpoint_file import CheckpointFile, Flaw
from stigmem_cursor_plugin.core.problem import Problem, Trouble


@dataclass(frozen=True, slots=True)
class Selection:
    """The checkpoints that count, by directory or file; what was passed over; what is an error.

    ``passed_over`` also tells of a checkpoint that is dated in the future, which counts as oldest.
    In a directory, a file that is no checkpoint, or is another node's, is passed over. It is an
    error if the file itself was named; also if export named it and it cannot be read, since it may
    hide a loss.
    """

    by_source: Mapping[str, Sequence[Checkpoint]]
    passed_over: Sequence[Problem]
    errors: Sequence[Problem]

    @property
    def checkpoints(self) -> Sequence[Checkpoint]:
        """All checkpoints that count, in the order in which they were named."""
        return [checkpoint for found in self.by_source.values() for checkpoint in found]


def select(
    files: Sequence[CheckpointFile],
    node_id: str | None,
    now: datetime,
    *,
    accept_other_nodes: bool = False,
    for_database: bool = False,
) -> Selection:
    """Select the checkpoints of the node *node_id*; None where the node is not known.

    *accept_other_nodes* takes another node's checkpoint where the file itself was named.
    *for_database*: all must be of that node, and if it is not known, a directory may not hold those
    of several nodes. Without a database it only tells which count in a directory of several nodes.
    """
    mixed = directories_of_several_nodes(files)
    by_source: dict[str, list[Checkpoint]] = {}
    passed_over, errors = [], []
    for file in files:
        source = file.directory or file.name
        by_source.setdefault(source, [])
        expected = node_id if for_database or file.directory in mixed else None
        found = list(_problems(file, expected))
        if accept_other_nodes and file.directory is None:
            found = [problem for problem in found if problem.trouble is not Trouble.OTHER_NODE]
        if file.directory is None or _may_hide_a_loss(file):
            errors += found
        else:
            passed_over += found[:1]
        if file.checkpoint is not None and not found:
            by_source[source].append(file.checkpoint)
            if file.directory is not None and is_from_the_future(file.checkpoint, now):
                passed_over.append(dated_in_future(file.checkpoint))
    errors += _without_checkpoint(files, by_source)
    if for_database and node_id is None:
        errors += (
            Problem(Trouble.SEVERAL_NODES, directory, detail=", ".join(nodes))
            for directory, nodes in mixed.items()
        )
    return Selection(by_source, passed_over, errors)


def _may_hide_a_loss(file: CheckpointFile) -> bool:
    return file.flaw is Flaw.UNREADABLE and rotation.is_named_by_export(file.name)


def _without_checkpoint(
    files: Sequence[CheckpointFile], by_source: Mapping[str, Sequence[Checkpoint]]
) -> Iterator[Problem]:
    """Find the directories that hold no checkpoint of this node."""
    for directory in dict.fromkeys(file.directory for file in files):
        if directory is not None and not by_source[directory]:
            yield Problem(Trouble.NO_CHECKPOINT, directory)


def directories_of_several_nodes(
    files: Sequence[CheckpointFile],
) -> Mapping[str, Sequence[str]]:
    """Return the directories that hold checkpoints of several nodes, with the ids of those."""
    nodes: dict[str, set[str]] = {}
    for file in files:
        if file.directory is not None and file.checkpoint is not None and file.checkpoint.node_id:
            nodes.setdefault(file.directory, set()).add(file.checkpoint.node_id)
    return {directory: sorted(found) for directory, found in nodes.items() if len(found) >= 2}


def _problems(file: CheckpointFile, node_id: str | None) -> Iterator[Problem]:
    checkpoint = file.checkpoint
    if checkpoint is None:
        trouble = Trouble.UNREADABLE if file.flaw is Flaw.UNREADABLE else Trouble.INVALID
        yield from (Problem(trouble, file.name, line) for line in file.problems)
    elif checkpoint.is_of_another_node(node_id):
        yield Problem(
            Trouble.OTHER_NODE, checkpoint.name, checkpoint.node_id or "", expected=node_id or ""
        )


def dated_in_future(checkpoint: Checkpoint) -> Problem:
    """Return what there is to say of a checkpoint that is dated in the future."""
    return Problem(Trouble.FROM_THE_FUTURE, checkpoint.name, checkpoint.timestamp)
