"""Reading checkpoints that another program may remove meanwhile."""

from pathlib import Path

import pytest

from stigmem_cursor_plugin.checkpoints import reading
from stigmem_cursor_plugin.errors import CheckpointError
from tests.builders import checkpoint, entry


def test_removed_since_it_was_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that another export prunes between listing and reading was never there.

    The newest may have come meanwhile: the directory is read again.
    """
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(checkpoint(entry("node-b")))
    listed = reading.checkpoints_in

    def pruned(directory: str) -> object:
        found = listed(directory)
        for path in found[:1]:
            path.unlink()
        return found

    def once(directory: str) -> object:
        found = pruned(directory)
        (tmp_path / "c.json").write_text(checkpoint(entry("node-b")))
        monkeypatch.setattr(reading, "checkpoints_in", listed)
        return found

    monkeypatch.setattr(reading, "checkpoints_in", once)
    assert [Path(file.name).name for file in reading.read([str(tmp_path)])] == ["b.json", "c.json"]
    monkeypatch.setattr(reading, "checkpoints_in", pruned)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        reading.read([str(tmp_path)])


def test_the_node_that_wrote_a_file(tmp_path: Path) -> None:
    """Only a regular file with the node's id where export writes it is that node's."""
    path = tmp_path / "c.json"
    assert not reading.is_written_by("n", str(path))
    path.write_text('{\n  "cursors": [],\n  "node_id": "n\\u00e9",\n  "digest": ""\n}')
    assert reading.is_written_by("n\u00e9", str(path))
    assert not reading.is_written_by("n", str(path))
    assert not reading.is_written_by("n", str(tmp_path))
