"""``cursor-check --metrics``, read back with Prometheus's own parser."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.builders import ago, checkpoint, entry, position
from tests.database import Database
from tests.running import Run, samples, without


def test_database(database: Database, stigmem: Run, tmp_path: Path) -> None:
    """Positions held and lost, and how old each is, are written beside the table."""
    database.set_cursor(database.add_peer("node-b"), position(ago(hours=2)))
    database.add_peer("node-c")
    database.add_facts("node-c", 1)
    finished = stigmem("cursor-check", "--metrics", "cursors.prom")
    assert finished.returncode == 1
    assert finished.stdout.startswith("PEER ")
    path = tmp_path / "cursors.prom"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    found = {(name, *labels.values()): value for name, labels, value in samples(path.read_text())}
    assert found["stigmem_cursor_check_fit",] == 0
    assert found["stigmem_cursor_cursors", "held"] == 1
    assert found["stigmem_cursor_cursors", "lost"] == 1
    assert found["stigmem_cursor_table_missing",] == 0
    lag = next(value for key, value in found.items() if "stigmem://node-b" in key)
    assert 7190 < lag < 7260
    assert sorted(item.name for item in tmp_path.iterdir()) == ["cursors.prom", "stigmem.db"]


def test_checkpoint(stigmem: Run, tmp_path: Path) -> None:
    """A checkpoint's time, age and positions are written, and ``-`` writes nothing else."""
    (tmp_path / "c.json").write_text(checkpoint(entry("node-b"), entry("node-c", None)))
    finished = stigmem("cursor-check", "c.json", "--metrics", "-")
    assert (finished.returncode, finished.stderr) == (0, "")
    found = {(name, *labels.values()): value for name, labels, value in samples(finished.stdout)}
    taken = datetime(2026, 5, 2, 18, 30, tzinfo=UTC)
    assert found["stigmem_cursor_checkpoint_timestamp_seconds", "c.json"] == taken.timestamp()
    assert found["stigmem_cursor_checkpoint_positions", "c.json"] == 1
    age = (datetime.now(UTC) - taken).total_seconds()
    assert age - 60 < found["stigmem_cursor_checkpoint_age_seconds", "c.json"] <= age
    assert found["stigmem_cursor_check_fit",] == 1


@pytest.mark.parametrize("arguments", [("--db", "none.db"), ("none.json",)])
def test_check_that_fails(stigmem: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A check that cannot be made is written as one that found something."""
    finished = stigmem("cursor-check", *arguments, "--metrics", "cursors.prom")
    assert finished.returncode == 1
    found = {name: value for name, _, value in samples((tmp_path / "cursors.prom").read_text())}
    assert found["stigmem_cursor_check_fit"] == 0
    assert found["stigmem_cursor_check_timestamp_seconds"] > 0


def test_odd_names(database: Database, stigmem: Run) -> None:
    """Names that other people choose cannot break the format."""
    name = 'a"b\\c\nd} 1\n# TYPE'
    database.set_cursor(database.add_peer(name), position(ago(hours=2)))
    finished = stigmem("cursor-check", "--metrics", "-")
    labels = [labels for _, labels, _ in samples(finished.stdout)]
    assert {"peer": f"stigmem://{name}", "direction": "inbound"} in labels


def test_not_with_json_on_one_stream(stigmem: Run) -> None:
    """Two documents on standard output are refused."""
    finished = stigmem("cursor-check", "--json", "--metrics", "-")
    assert finished.returncode == 2
    assert finished.stderr == "error: --json and --metrics - both write to standard output\n"


def test_without_the_library(run: Run) -> None:
    """Without prometheus-client the error names the extra."""
    finished = run(*without("prometheus_client", "check", "--metrics", "-"))
    assert finished.returncode == 2
    assert finished.stderr == (
        "error: --metrics needs prometheus-client; install 'stigmem-cursor-plugin[metrics]'\n"
    )
