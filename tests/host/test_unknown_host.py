"""A host that lacks one of the functions that catching up calls."""

import importlib.util
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.database import Database
from tests.running import Run


@pytest.fixture
def unknown_host(tmp_path: Path) -> Path:
    """A copy of the installed host in which a function has another name."""
    found = importlib.util.find_spec("stigmem_node")
    assert found is not None
    assert found.origin is not None
    copy = tmp_path / "host" / "stigmem_node"
    shutil.copytree(Path(found.origin).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    module = copy / "federation" / "federation_pull.py"
    module.write_text(module.read_text().replace("save_cursor", "store_cursor"))
    return copy.parent


def test_unknown_host(run: Run, node: Database, unknown_host: Path) -> None:
    """It is named, and the releases that have it; before that nothing is touched."""
    node.run("DROP TABLE replication_cursors")
    before = node.path.read_bytes()
    finished = run("stigmem-cursor", "catchup", PYTHONPATH=str(unknown_host))
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: catch-up needs stigmem_node.federation_pull.save_cursor, and stigmem-node "
        f"{version('stigmem-node')} does not have it; nothing was fetched; use stigmem-node "
        "0.9.0a1 to 0.9.0a12, or start the node: its own loop fetches the same facts\n"
    )
    assert node.path.read_bytes() == before
