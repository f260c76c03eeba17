"""Reading checkpoints that another program may remove meanwhile."""

from pathlib import Path

import pytest

from stigmem_cursor_plugin.checkpoints import reading
from stigmem_cursor_plugin.errors import CheckpointError
from tests.builders import checkpoint, entry


def test_removed_since_it_was_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that another export prunes between listing and reading was never there."""
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(checkpoint(entry("node-b")))
    listed = reading.checkpoints_in

    def pruned(directory: str) -> object:
        found = listed(directory)
        found[0].unlink()
        return found

    monkeypatch.setattr(reading, "checkpoints_in", pruned)
    (left,) = reading.read([str(tmp_path)])
    assert left.name.endswith("b.json")
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
