"""Where the host's built-in commands work, the database afterwards is the same as ours."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import checkpoint, entry
from tests.database import Database
from tests.running import BIN, Run, environment_for

NAMES = ("node-b", "node-c", "node-d")
POSITIONS = ("1725349500000.005", "1725349600000.0", "opaque", "2026-05-02T18:25:00Z")


@dataclass(frozen=True)
class Case:
    """A database and an import into it."""

    peers: Sequence[str]
    cursors: dict[tuple[str, str], str | None]
    entries: Sequence[tuple[str, str, str]]
    force: bool


KEYS = st.tuples(st.sampled_from(NAMES), st.sampled_from(["inbound", "outbound"]))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return any database with those peers and positions, and any checkpoint in the format."""
    peers = draw(st.lists(st.sampled_from(NAMES), unique=True))
    stored = draw(st.dictionaries(KEYS, st.none() | st.sampled_from(POSITIONS)))
    wanted = draw(st.dictionaries(KEYS, st.sampled_from(POSITIONS), min_size=1))
    return Case(
        peers=peers,
        cursors={key: cursor for key, cursor in stored.items() if key[0] in peers},
        entries=[(*key, cursor) for key, cursor in wanted.items()],
        force=draw(st.booleans()),
    )


def database_of(case: Case, migrated: Path, path: Path) -> Database:
    """Make the database of a case."""
    shutil.copy(migrated, path)
    database = Database(path)
    for name in case.peers:
        database.add_peer(name)
    for (name, direction), cursor in case.cursors.items():
        database.set_cursor(f"id-of-{name}", cursor, direction)
    return database


# Both programs once, many imports each: a process for every import would take minutes.
DRIVER = """
import json, sys
from stigmem_node.cli import _build_parser
for line in sys.stdin:
    arguments = _build_parser().parse_args(["federation", *json.loads(line)])
    status = arguments.func(arguments)
    print(json.dumps([arguments.func.__class__.__name__, status]), flush=True)
"""


class Driver:
    """The host's command line in one process, with or without this plugin."""

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [BIN / "python", "-c", DRIVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment_for(BIN, **environment),
        )

    def run(self, *arguments: str) -> Any:
        """Run one command; return the kind of its function and its exit status."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def drivers() -> Any:
    """The plugin's commands and the host's built-in ones."""
    both = (Driver(), Driver(STIGMEM_CLI_PLUGINS="off"))
    yield both
    for driver in both:
        driver.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_same_database(
    case: Case, migrated: Path, drivers: tuple[Driver, Driver], tmp_path: Path
) -> None:
    """For any checkpoint with positions and any database with peers, both leave the same rows."""
    entries = [entry(name, cursor, direction=way) for name, way, cursor in case.entries]
    file = tmp_path / "c.json"
    file.write_text(checkpoint(*entries))
    flags = ["--force", "--no-undo"] if case.force else []
    states = []
    for number, driver in enumerate(drivers):
        database = database_of(case, migrated, tmp_path / f"{number}.db")
        given_flags = flags if number == 0 else flags[:1]
        kind, status = driver.run(
            "cursor-import", str(file), *given_flags, "--db", str(database.path)
        )
        assert kind == ("partial" if number == 0 else "function")
        assert status == 0
        states.append([line for line in database.contents() if "replication_cursors" not in line])
        states.append(database.cursors())  # type: ignore[arg-type]
    assert states[0] == states[2]
    assert states[1] == states[3]


def test_both_exports_name_the_same_cursors(node: Database, stigmem: Run) -> None:
    """The host's export and ours hold the same entries, but for the time's spelling."""
    ours = json.loads(stigmem("cursor-export").stdout)
    hosts = json.loads(stigmem("cursor-export", STIGMEM_CLI_PLUGINS="off").stdout)
    for mine, theirs in zip(ours["cursors"], hosts["cursors"], strict=True):
        mine.pop("received")
        theirs["updated_at"] = theirs["updated_at"].replace("+00:00", "Z")
        assert list(mine.items()) == list(theirs.items())
    assert list(ours)[:3] == list(hosts)
    assert ours["db_path"] == hosts["db_path"]


@pytest.mark.parametrize(
    ("exporter", "importer"), [("", "off"), ("off", "")], ids=["to-host", "from-host"]
)
def test_files_pass_both_ways(node: Database, stigmem: Run, exporter: str, importer: str) -> None:
    """A checkpoint that one of the two has written is imported by the other."""
    positions = node.cursors()
    exported = stigmem("cursor-export", "--out", "c.json", STIGMEM_CLI_PLUGINS=exporter)
    assert exported.returncode == 0
    node.run("DELETE FROM replication_cursors")
    imported = stigmem("cursor-import", "c.json", STIGMEM_CLI_PLUGINS=importer)
    assert imported.returncode == 0
    assert imported.stderr.splitlines()[-1] == (
        "cursor import complete: 2 restored, 0 skipped (peer not found), 0 skipped (already set)"
    )
    assert node.cursors() == positions
