"""Which files count: named or found in a directory, own or another node's, old or future."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.checkpoint_file import CheckpointFile, Flaw
from stigmem_cursor_plugin.core.problem import Problem, Trouble
from stigmem_cursor_plugin.core.selection import select
from tests.snapshots import NODE_A, checkpoint_of

NOW = datetime(2026, 5, 2, 13, tzinfo=UTC)
OTHER = "stigmem://node-x"


def file(checkpoint: Checkpoint, directory: str | None = None) -> CheckpointFile:
    """Return a file with a checkpoint in it."""
    return CheckpointFile(checkpoint.name, checkpoint, directory=directory)


def flawed(flaw: Flaw, directory: str | None = None, *, by_export: bool = False) -> CheckpointFile:
    """Return a file with two problems and no checkpoint."""
    name = "cursors-20260502T183000Z.json" if by_export else "bad.json"
    return CheckpointFile(name, None, ("one", "two"), flaw, directory)


def troubles(problems: "list[Problem] | tuple[Problem, ...]") -> list[Trouble]:
    """Return what kinds of problems there are."""
    return [problem.trouble for problem in problems]


def test_own_and_unnamed_count() -> None:
    """A checkpoint of this node counts, and one that does not say whose it is."""
    own, unnamed = checkpoint_of(node_id=NODE_A, hour=1), checkpoint_of(hour=2)
    selection = select([file(own), file(unnamed)], NODE_A, NOW)
    assert list(selection.checkpoints) == [own, unnamed]
    assert (list(selection.errors), list(selection.passed_over)) == ([], [])


def test_another_nodes_file_that_was_named() -> None:
    """Another node's checkpoint is an error where it was named, unless it is accepted."""
    other = checkpoint_of(node_id=OTHER)
    selection = select([file(other)], NODE_A, NOW, for_database=True)
    assert list(selection.errors) == [
        Problem(Trouble.OTHER_NODE, "12.json", OTHER, expected=NODE_A)
    ]
    assert list(selection.checkpoints) == []
    accepted = select([file(other)], NODE_A, NOW, for_database=True, accept_other_nodes=True)
    assert list(accepted.checkpoints) == [other]
    assert list(accepted.errors) == []
    assert list(select([file(other)], None, NOW).checkpoints) == [other]


@pytest.mark.parametrize("for_database", [False, True])
def test_another_nodes_file_in_a_directory(for_database: bool) -> None:
    """In a directory it is passed over, even where another node's is accepted."""
    own, other = checkpoint_of(node_id=NODE_A), checkpoint_of(node_id=OTHER)
    files = [file(own, "d"), file(other, "d")]
    selection = select(files, NODE_A, NOW, accept_other_nodes=True, for_database=for_database)
    assert list(selection.checkpoints) == [own]
    assert troubles(list(selection.passed_over)) == [Trouble.OTHER_NODE]
    assert list(selection.errors) == []


def test_without_a_database_each_directory_may_be_of_another_node() -> None:
    """Only a directory of several nodes asks which node this is."""
    own, other = checkpoint_of(node_id=NODE_A), checkpoint_of(node_id=OTHER)
    files = [file(own, "a"), file(other, "b"), file(checkpoint_of(hour=1), "b"), file(other)]
    selection = select(files, NODE_A, NOW)
    assert len(list(selection.checkpoints)) == 4
    assert (list(selection.errors), list(selection.passed_over)) == ([], [])
    both = select([file(own, "a"), file(other, "a"), file(other, "b")], NODE_A, NOW)
    assert list(both.checkpoints) == [own, other]
    third = checkpoint_of(node_id="stigmem://third")
    three = select([file(own, "a"), file(other, "a"), file(third, "a")], NODE_A, NOW)
    assert list(three.checkpoints) == [own]


@pytest.mark.parametrize(
    ("flaw", "trouble"),
    [(Flaw.UNREADABLE, Trouble.UNREADABLE), (Flaw.INVALID, Trouble.INVALID)],
)
@pytest.mark.parametrize("by_export", [True, False])
def test_flawed_files(flaw: Flaw, trouble: Trouble, by_export: bool) -> None:
    """What is wrong with a named file is an error; in a directory its first line is passed over.

    One that cannot be read and has a name of export's may hide a loss: an error there too.
    """
    named = select([flawed(flaw, by_export=by_export)], NODE_A, NOW)
    assert troubles(list(named.errors)) == [trouble, trouble]
    found = [flawed(flaw, "d", by_export=by_export), file(checkpoint_of(), "d")]
    selection = select(found, NODE_A, NOW)
    hides_a_loss = flaw is Flaw.UNREADABLE and by_export
    assert troubles(list(selection.errors)) == ([trouble] * 2 if hides_a_loss else [])
    assert troubles(list(selection.passed_over)) == ([] if hides_a_loss else [trouble])
    assert [problem.detail for problem in selection.passed_over] == (
        [] if hides_a_loss else ["one"]
    )


def test_directory_without_a_checkpoint_of_this_node() -> None:
    """A directory in which nothing counts is an error; a named file alone is its own error."""
    selection = select([flawed(Flaw.INVALID, "d")], NODE_A, NOW)
    assert list(selection.errors) == [Problem(Trouble.NO_CHECKPOINT, "d")]
    assert Trouble.NO_CHECKPOINT not in troubles(
        list(select([flawed(Flaw.INVALID)], None, NOW).errors)
    )


FUTURE = replace(checkpoint_of(), timestamp="2026-05-02T13:01:01Z", name="future.json")


def test_future_in_a_directory_is_told_and_counts() -> None:
    """A file dated in the future is used, and said."""
    selection = select([file(FUTURE, "d")], NODE_A, NOW)
    assert list(selection.checkpoints) == [FUTURE]
    assert list(selection.passed_over) == [
        Problem(Trouble.FROM_THE_FUTURE, "future.json", "2026-05-02T13:01:01Z")
    ]
    assert list(select([file(FUTURE)], NODE_A, NOW).passed_over) == []


@pytest.mark.parametrize(
    ("nodes", "node_id", "for_database", "refused"),
    [
        ((NODE_A, OTHER), None, True, True),
        ((NODE_A, OTHER), None, False, False),
        ((NODE_A, OTHER), NODE_A, True, False),
        ((NODE_A, NODE_A, None), None, True, False),
        ((NODE_A, OTHER, "stigmem://node-y"), None, True, True),
        ((None,), None, True, False),
    ],
)
def test_several_nodes(
    nodes: tuple[str | None, ...], node_id: str | None, for_database: bool, refused: bool
) -> None:
    """For a database that does not say whose it is, a directory may hold one node's only."""
    found = [
        file(checkpoint_of(node_id=node, hour=hour), "kept") for hour, node in enumerate(nodes)
    ]
    selection = select(found, node_id, NOW, for_database=for_database)
    names = ", ".join(sorted({node for node in nodes if node}))
    expected = [Problem(Trouble.SEVERAL_NODES, "kept", detail=names)] if refused else []
    assert list(selection.errors) == expected
    assert list(select(found, node_id, NOW).errors) == []
