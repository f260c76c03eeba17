"""Where no host is installed: a mounted volume, a CI job."""

import re
from importlib.metadata import requires
from pathlib import Path

import pytest

from tests.builders import INVALID, VALID
from tests.database import Database
from tests.running import Finished, fresh_environment, run_in

MANY = 1_100
"""More than sqlite-utils is left to write."""


def _round_trip(binaries: Path, node: Database, directory: Path) -> None:
    def cursor(*arguments: str) -> Finished:
        return run_in(directory, ("stigmem-cursor", *arguments), binaries=binaries)

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


def test_round_trip(hostless: Path, node: Database, tmp_path: Path) -> None:
    """Export and import work without the host."""
    assert not (hostless / "stigmem").exists()
    _round_trip(hostless, node, tmp_path)


@pytest.mark.slow
def test_lower_bounds(
    tmp_path_factory: pytest.TempPathFactory, wheel: Path, node: Database, tmp_path: Path
) -> None:
    """They work with the oldest releases that the package says it works with."""
    wanted = [
        line.partition(";")[0]
        for line in requires("stigmem-cursor-plugin") or ()
        if "extra" not in line or re.search("extra == '(fast|metrics)'", line)
    ]
    assert len(wanted) == 7
    oldest = [line.replace(">=", "==").strip() for line in wanted]
    binaries = fresh_environment(tmp_path_factory.mktemp("oldest"), wheel, *oldest)
    _round_trip(binaries, node, tmp_path)
    said = run_in(tmp_path, ("stigmem-cursor", "check", *map(str, VALID)), binaries=binaries)
    assert (said.returncode, said.stderr) == (0, "")
    for path in INVALID:
        finished = run_in(tmp_path, ("stigmem-cursor", "check", str(path)), binaries=binaries)
        assert finished.returncode == 1
    node.add_peers([f"peer-{number:04}" for number in range(MANY)])
    node.run(
        "INSERT INTO replication_cursors SELECT id, 'inbound', '1.0', '2026' FROM peers WHERE true"
        " ON CONFLICT DO NOTHING"
    )
    for arguments in (
        ("export", "--out", "many.json"),
        ("check", "many.json", "--metrics", "many.prom"),
        ("import", "many.json", "--force"),
    ):
        finished = run_in(tmp_path, ("stigmem-cursor", *arguments), binaries=binaries)
        assert finished.returncode == 0, finished.stderr


def test_dotenv(hostless: Path, node: Database, tmp_path: Path) -> None:
    """A ``.env`` file is read as the node reads it."""
    (tmp_path / ".env").write_text("STIGMEM_DB_PATH=elsewhere.db\n")
    finished = run_in(tmp_path, ("stigmem-cursor", "export"), binaries=hostless)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.startswith("error: no database at elsewhere.db; ")
    named = run_in(tmp_path, ("stigmem-cursor", "export", "--db", "stigmem.db"), binaries=hostless)
    assert named.returncode == 0
