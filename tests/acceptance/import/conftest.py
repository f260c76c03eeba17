"""What the tests of import beside a node begin with."""

from pathlib import Path

import pytest

from tests.builders import checkpoint, entry
from tests.database import Database


@pytest.fixture
def ready(database: Database, tmp_path: Path) -> Database:
    """A database that waits for the position in ``c.json``."""
    database.add_peer("node-b")
    database.add_facts("node-b", 1)
    (tmp_path / "c.json").write_text(checkpoint(entry("node-b")))
    return database
