"""A backend that the node's settings name and that this environment cannot open."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.nodes import SETTINGS
from tests.running import Finished, Run, run_in, without
from tools.hosts import RELEASES, environment, pip

POSTGRES = {**SETTINGS["postgres"], "STIGMEM_PG_DSN": "postgresql://u:x@127.0.0.1:1/stigmem"}


@pytest.fixture(scope="module")
def bare_host(wheel: Path) -> Iterator[Path]:
    """The programs of the newest host with the plugin, and no extra of either."""
    with environment(RELEASES[-1]) as host:
        pip(host / "bin" / "python", "install", str(wheel))
        yield host / "bin"


@dataclass(frozen=True)
class Extra:
    """An extra of the host, the settings that need it, the module in it, and its package."""

    name: str
    settings: Mapping[str, str]
    module: str
    package: str


EXTRAS = [
    Extra("postgres", POSTGRES, "psycopg2", "psycopg2"),
    Extra("libsql", SETTINGS["libsql"], "libsql_experimental", "libsql-experimental"),
    Extra("sqlcipher", SETTINGS["sqlcipher"], "sqlcipher3", "sqlcipher3"),
]
each_extra = pytest.mark.parametrize("extra", EXTRAS, ids=lambda extra: extra.name)


@pytest.fixture
def files(extra: Extra, tmp_path: Path) -> list[Path]:
    """The files of a node that needs the extra."""
    if extra.name != "postgres":
        (tmp_path / "stigmem.db").write_bytes(b"no header of SQLite's")
    return list(tmp_path.iterdir())


def names_the_extra(finished: Finished, extra: Extra) -> None:
    """Check that the error is one line that names what to install."""
    assert (finished.returncode, finished.stdout) == (1, "")
    assert len(finished.stderr.splitlines()) == 1
    assert extra.package in finished.stderr
    assert f"install 'stigmem-node[{extra.name}]'" in finished.stderr


@each_extra
def test_driver_taken_away(extra: Extra, files: list[Path], run: Run, tmp_path: Path) -> None:
    """Where the driver is missing, one line names what to install, and no file appears."""
    names_the_extra(run(*without(extra.module, "export"), **extra.settings), extra)
    assert list(tmp_path.iterdir()) == files


@pytest.mark.slow
@each_extra
def test_driver_not_installed(
    extra: Extra, files: list[Path], bare_host: Path, tmp_path: Path
) -> None:
    """So it is on a host without the extra."""
    command = ("stigmem-cursor", "export")
    names_the_extra(run_in(tmp_path, command, None, extra.settings, bare_host), extra)
    assert list(tmp_path.iterdir()) == files


@pytest.mark.parametrize("backend", ["postgres", "libsql"])
def test_host_without_backends(run: Run, tmp_path: Path, backend: str) -> None:
    """A host without storage backends is said; none was ever released, so it is taken away here."""
    (tmp_path / "stigmem.db").write_bytes(b"a file")
    finished = run(
        *("python", "-c"),
        "import sys; sys.modules['stigmem_node.storage'] = None;"
        "from stigmem_cursor_plugin.cli import main; sys.argv[1:] = ['export']; main()",
        STIGMEM_STORAGE_BACKEND=backend,
        STIGMEM_PG_DSN=POSTGRES["STIGMEM_PG_DSN"],
    )
    assert finished.returncode == 1
    assert f"has no storage backend '{backend}'" in finished.stderr
    assert finished.stderr.endswith(f"install a newer 'stigmem-node[{backend}]'\n")
    assert [path.name for path in tmp_path.iterdir()] == ["stigmem.db"]


def test_without_a_host(run: Run, tmp_path: Path) -> None:
    """Where stigmem-node is not installed the error says what to install."""
    finished = run(
        *("python", "-c"),
        "import sys; sys.modules['stigmem_node.settings'] = None;"
        "from stigmem_cursor_plugin.cli import main; sys.argv[1:] = ['export']; main()",
        **SETTINGS["postgres"],
    )
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: the storage backend 'postgres' (STIGMEM_STORAGE_BACKEND) needs stigmem-node, "
        "which is not installed here; install 'stigmem-node[postgres]'\n"
    )
    assert list(tmp_path.iterdir()) == []
