"""What every test can ask for: a host's database, and the real programs in a subprocess."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from tests.database import NODE_ID, Database
from tests.nodes import Stores
from tests.running import ROOT, Finished, Run, fresh_environment, made_once, run_in

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest, so that none of them is left alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly which promise was not tested, because a skip is easily read over."""
    skipped = terminalreporter.getreports("skipped")
    untested = [report for report in skipped if "strace" in str(report.longrepr)]
    if untested:
        terminalreporter.section("NOT TESTED: kills and failing system calls", sep="!", red=True)
        terminalreporter.line(
            f"{len(untested)} test(s) did not run, because strace cannot be used here. Install "
            "strace, and allow ptrace (in a container: --cap-add=SYS_PTRACE)."
        )


@pytest.fixture(scope="session", autouse=True)
def _away_from_the_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Work in a temporary directory: a node's code writes files where it happens to run."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("cwd"))
    yield
    os.chdir(before)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a program in the test's directory."""

    def run(*arguments: str, given: str | bytes | None = None, **environment: str) -> Finished:
        return run_in(tmp_path, arguments, given, environment)

    return run


@pytest.fixture
def stigmem(run: Run) -> Run:
    """Run ``stigmem federation`` with this plugin, in the test's directory."""

    def stigmem(*arguments: str, given: str | bytes | None = None, **environment: str) -> Finished:
        return run("stigmem", "federation", *arguments, given=given, **environment)

    return stigmem


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database made by the host's own migrations."""

    def migrate(directory: Path) -> None:
        path = directory / "stigmem.db"
        script = "import sys; from stigmem_node.db import apply_migrations as a; a(sys.argv[1])"
        subprocess.run([sys.executable, "-c", script, str(path)], check=True)
        Database(path).run("INSERT INTO node_meta (key, value) VALUES ('node_id', ?)", [NODE_ID])

    return made_once(tmp_path_factory, "migrated", migrate) / "stigmem.db"


@pytest.fixture
def make_database(migrated: Path, tmp_path: Path) -> Callable[[str], Database]:
    """Make a node's database with a file name in the test's directory."""

    def make(name: str) -> Database:
        shutil.copy(migrated, tmp_path / name)
        return Database(tmp_path / name)

    return make


@pytest.fixture
def database(make_database: Callable[[str], Database]) -> Database:
    """The database ``stigmem.db`` of node-a, without peers, in the test's directory."""
    return make_database("stigmem.db")


@pytest.fixture
def node(database: Database) -> Database:
    """The same with two peers, positions for both, and facts received from the first."""
    database.fill()
    return database


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """What makes a node on any kind of database."""
    with Stores(partial(made_once, tmp_path_factory)) as made:
        yield made


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel and the source distribution of this checkout."""

    def build(directory: Path) -> None:
        # Both from the checkout: by default the wheel is built from the source distribution.
        command = [sys.executable, "-m", "build", "--sdist", "--wheel", "--outdir", str(directory)]
        subprocess.run([*command, str(ROOT)], check=True, capture_output=True)

    return made_once(tmp_path_factory, "dist", build)


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    """The wheel of this checkout."""
    return next(built.glob("*.whl"))


@pytest.fixture(scope="session")
def hostless(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The programs of a fresh environment that holds the wheel and what it depends on."""
    return made_once(tmp_path_factory, "hostless", lambda to: fresh_environment(to, wheel)) / "bin"
