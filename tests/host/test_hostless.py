"""Where no host is installed: a mounted volume, a CI job."""

from pathlib import Path

from tests.database import Database
from tests.running import Finished, run_in


def test_round_trip(hostless: Path, node: Database, tmp_path: Path) -> None:
    """Export and import work without the host."""
    assert not (hostless / "stigmem").exists()

    def cursor(*arguments: str) -> Finished:
        return run_in(tmp_path, ("stigmem-cursor", *arguments), binaries=hostless)

    positions = node.cursors()
    assert cursor("export", "--out", "c.json").stderr == (
        "checkpoint written: c.json (2 cursor(s))\n"
    )
    node.run("DROP TABLE replication_cursors")
    imported = cursor("import", "c.json")
    assert imported.stderr == (
        "info: the table replication_cursors is missing: creating it again\n"
        "cursor import complete: 2 restored, 0 skipped (peer not found), 0 skipped (already set)\n"
    )
    assert node.cursors() == positions
    refused = cursor("import", "-")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: standard input: not JSON: ")


def test_dotenv(hostless: Path, node: Database, tmp_path: Path) -> None:
    """A ``.env`` file is read as the node reads it."""
    (tmp_path / ".env").write_text("STIGMEM_DB_PATH=elsewhere.db\n")
    finished = run_in(tmp_path, ("stigmem-cursor", "export"), binaries=hostless)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.startswith("error: no database at elsewhere.db; ")
    named = run_in(tmp_path, ("stigmem-cursor", "export", "--db", "stigmem.db"), binaries=hostless)
    assert named.returncode == 0
