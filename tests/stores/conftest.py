"""What several tests of stores ask for."""

from pathlib import Path

import pytest

from tests.nodes import StoredNode, Stores

COMMANDS: dict[str, tuple[str, ...]] = {
    "export": ("cursor-export", "--force"),
    "check": ("cursor-check",),
    "import": ("cursor-import", "-", "--force", "--no-undo"),
}


@pytest.fixture(params=list(COMMANDS))
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Each of the three commands."""
    return COMMANDS[request.param]


@pytest.fixture
def on_postgres(stores: Stores, tmp_path: Path) -> StoredNode:
    """A node on PostgreSQL with one peer and its position."""
    made = stores.on_postgres(tmp_path)
    made.database.set_cursor(made.database.add_peer("node-b"), "1725349500000.005")
    return made
