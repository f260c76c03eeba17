"""A backend that the node's settings name and that this environment cannot open."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nodes import SETTINGS
from tests.running import Run, run_in
from tools.hosts import RELEASES, environment, pip

POSTGRES = {**SETTINGS["postgres"], "STIGMEM_PG_DSN": "postgresql://u:x@127.0.0.1:1/stigmem"}


@pytest.fixture(scope="module")
def bare_host(wheel: Path) -> Iterator[Path]:
    """The programs of the newest host with the plugin, and no extra of either."""
    with environment(RELEASES[-1]) as host:
        pip(host / "bin" / "python", "install", str(wheel))
        yield host / "bin"


@pytest.mark.parametrize(
    ("variables", "module"),
    [
        (POSTGRES, "psycopg2"),
        (SETTINGS["libsql"], "libsql-experimental"),
        (SETTINGS["sqlcipher"], "sqlcipher3"),
    ],
    ids=["postgres", "libsql", "sqlcipher"],
)
def test_driver_not_installed(
    variables: dict[str, str], module: str, bare_host: Path, tmp_path: Path
) -> None:
    """On a host without the extra, one line names what to install, and no file appears."""
    given = {"stigmem.db"} if module != "psycopg2" else set()
    for name in given:
        (tmp_path / name).write_bytes(b"no header of SQLite's")
    finished = run_in(tmp_path, ("stigmem-cursor", "export"), None, variables, bare_host)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert len(finished.stderr.splitlines()) == 1
    assert module in finished.stderr
    assert f"install 'stigmem-node[{_extra(module)}]'" in finished.stderr
    assert {path.name for path in tmp_path.iterdir()} == given


def _extra(module: str) -> str:
    return {"psycopg2": "postgres", "libsql-experimental": "libsql", "sqlcipher3": "sqlcipher"}[
        module
    ]


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
