"""``cursor-check`` of checkpoints alone: valid or not, and how old."""

from pathlib import Path

import pytest

from tests.builders import ago, checkpoint, entry, timestamp
from tests.database import Database
from tests.running import Run


def test_files_alone(stigmem: Run, tmp_path: Path) -> None:
    """Files are checked without any database; an invalid one is an error, the rest is shown."""
    taken = ago(hours=3)
    (tmp_path / "good.json").write_text(
        checkpoint(entry("node-b"), entry("node-c", None), checkpoint_timestamp=timestamp(taken))
    )
    (tmp_path / "bad.json").write_text("{}")
    finished = stigmem("cursor-check", "bad.json", "good.json")
    assert finished.returncode == 1
    assert finished.stdout == (
        f"good.json: valid, 1 position(s), taken {timestamp(taken)} (3 h ago)\n"
    )
    assert finished.stderr == (
        "error: bad.json: checkpoint_timestamp: missing\nerror: bad.json: cursors: missing\n"
    )


@pytest.mark.parametrize("unnamed", [False, True])
def test_whose_checkpoints_they_are_does_not_matter(
    node: Database, stigmem: Run, tmp_path: Path, unnamed: bool
) -> None:
    """A directory of one node is checked alike everywhere, though this machine has a database."""
    for name in ("node-a", "node-b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "c.json").write_text(checkpoint(entry("x"), node_id=f"stigmem://{name}"))
    if unnamed:
        (tmp_path / "node-b" / "host.json").write_text(checkpoint(entry("x")))
    assert node.path.exists()
    finished = stigmem("cursor-check", "node-a", "node-b")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.count("valid") == 2 + unnamed


def test_standard_input_has_a_name(stigmem: Run) -> None:
    """What was read from a pipe is called standard input."""
    finished = stigmem("cursor-check", "-", given=checkpoint(entry("node-b")))
    assert finished.stdout.startswith("standard input: valid, 1 position(s), taken ")


def test_nothing_valid_shows_nothing(stigmem: Run) -> None:
    """When no file is valid, standard output stays empty."""
    finished = stigmem("cursor-check", "-", given="{")
    assert (finished.returncode, finished.stdout) == (1, "")


def test_max_age(stigmem: Run, tmp_path: Path) -> None:
    """``--max-age`` fails a stale file; in a directory, only the age of the newest counts."""
    directory = tmp_path / "backup"
    directory.mkdir()
    for name, moment in (("old", ago(hours=3)), ("new", ago(minutes=10))):
        text = checkpoint(entry("node-b"), checkpoint_timestamp=timestamp(moment))
        (directory / f"{name}.json").write_text(text)
    assert stigmem("cursor-check", "--max-age", "30m", "backup").returncode == 0
    finished = stigmem("cursor-check", "--max-age", "30m", "backup/old.json")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: backup/old.json: 3 h old, more than 30 min; is cursor-export still scheduled?\n"
    )


def test_dated_in_the_future(stigmem: Run, tmp_path: Path) -> None:
    """A checkpoint from the future says so, and is not fresh."""
    (tmp_path / "c.json").write_text(
        checkpoint(entry("node-b"), checkpoint_timestamp="9999-12-31T23:59:59-23:59")
    )
    finished = stigmem("cursor-check", "--max-age", "1h", "c.json")
    assert finished.returncode == 1
    assert "days in the future)" in finished.stdout
    assert finished.stderr == (
        "error: c.json: dated in the future (9999-12-31T23:59:59-23:59); check the clocks\n"
    )


@pytest.mark.parametrize("text", ["30", "m", "-5m", "1w", "1.5h", ""])
def test_max_age_that_is_none(stigmem: Run, text: str) -> None:
    """What is no duration is a usage error that shows what one is."""
    finished = stigmem("cursor-check", f"--max-age={text}", "c.json")
    assert finished.returncode == 2
    assert f"{text!r} is not a duration such as 90s, 30m, 24h or 7d" in finished.stderr
