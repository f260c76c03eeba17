"""The plugin on the host's command line: installed, switched off, uninstalled, native."""

import importlib
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.changed_hosts import call_the_hook, copy_of_the_host
from tests.running import BIN, ROOT, Finished, Run, environment_for, run_in
from tools.hosts import RELEASES, environment, pip

OURS = "Put the positions of a checkpoint back"
NEWEST = RELEASES[-1]

MAKE_DATABASE = """
from stigmem_node.db import apply_migrations, db
apply_migrations("stigmem.db")
import sqlite3
connection = sqlite3.connect("stigmem.db")
connection.execute(
    "INSERT INTO peers (id, node_id, node_url, federation_pubkey, allowed_scopes, status,"
    " declaration_sig, signed_at) VALUES ('b', 'stigmem://node-b', '', '', '', 'active', '', '')")
connection.execute(
    "INSERT INTO replication_cursors VALUES ('b', 'inbound', '1.0', '2026-05-02T18:25:00+00:00')")
connection.commit()
"""


def _life_on(release: str, wheel: Path, directory: Path) -> None:
    with environment(release) as host:
        binaries = host / "bin"

        def stigmem(*arguments: str, **variables: str) -> Finished:
            command = ("stigmem", "federation", *arguments)
            return run_in(directory, command, binaries=binaries, environment=variables)

        before = stigmem("cursor-import", "--help").stdout
        assert OURS not in before

        pip(binaries / "python", "install", str(wheel))
        assert OURS in " ".join(stigmem("cursor-import", "--help").stdout.split())
        assert stigmem("cursor-import", "--help", STIGMEM_CLI_PLUGINS="off").stdout == before
        assert stigmem("--help").stdout.count("cursor-export") == 1
        assert "register-peer" in stigmem("--help").stdout

        made = run_in(directory, ["python", "-c", MAKE_DATABASE], binaries=binaries)
        assert made.returncode == 0, made.stderr
        exported = stigmem("cursor-export", "--out", "c.json")
        assert exported.stderr == "checkpoint written: c.json (1 cursor(s))\n"
        run_in(directory, ["sqlite-utils", "drop-table", "stigmem.db", "replication_cursors"])
        imported = stigmem("cursor-import", "c.json")
        assert imported.returncode == 0
        assert imported.stderr.endswith(
            "cursor import complete: 1 restored, 0 skipped (peer not found), "
            "0 skipped (already set)\n"
        )
        # It finds all that it calls, and ends where the settings are looked at.
        caught_up = stigmem("cursor-catchup")
        assert caught_up.stderr.startswith("error: STIGMEM_FEDERATION_ENABLED is not true: ")

        pip(binaries / "python", "uninstall", "--yes", "stigmem-cursor-plugin")
        assert stigmem("cursor-import", "--help").stdout == before
        assert not list(host.rglob("stigmem_cursor_plugin*"))
        assert not list(host.rglob("stigmem-federation-cursor-*"))


@pytest.mark.slow
def test_life_on_the_newest_host(wheel: Path, tmp_path: Path) -> None:
    """Installed, the commands are the plugin's, and work; uninstalled, they are the host's."""
    _life_on(NEWEST, wheel, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("release", RELEASES[:-1])
def test_life_on_every_host(release: str, wheel: Path, tmp_path: Path) -> None:
    """The same on each of the other releases."""
    _life_on(release, wheel, tmp_path)


def _add_plugin(directory: Path, code: str) -> None:
    """Make a distribution whose module ``other_plugin`` is in the plugin group."""
    (directory / "other_plugin.py").write_text(code)
    metadata = directory / "other_plugin-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: other-plugin\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[stigmem.cli]\nother = other_plugin\n")


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
        ("raise SystemExit(7)", "SystemExit: 7"),
        (
            "import pluggy\n@pluggy.HookimplMarker('stigmem')\n"
            "def stigmem_register_federation_commands(subparsers): 1 / 0",
            "ZeroDivisionError: division by zero",
        ),
        (
            "import pluggy\n@pluggy.HookimplMarker('stigmem')\ndef stigmem_register(): pass",
            "PluginValidationError: unknown hook 'stigmem_register' in plugin <module "
            "'other_plugin' from '{path}/other_plugin.py'>",
        ),
    ],
    ids=["import", "exit", "hook", "misspelt"],
)
def test_broken_plugin_is_skipped(stigmem: Run, tmp_path: Path, code: str, complaint: str) -> None:
    """A plugin that fails to load or register is warned about; the others work."""
    _add_plugin(tmp_path, code)
    finished = stigmem("cursor-import", "--help", PYTHONPATH=str(tmp_path))
    assert finished.returncode == 0
    assert OURS in finished.stdout
    assert finished.stderr == (
        f"warning: plugin 'other' (other_plugin) skipped: {complaint.format(path=tmp_path)}\n"
    )


def test_startup_needs_the_standard_library_alone(run: Run) -> None:
    """What every start of Python loads is one small module, and of others only Python's own."""
    loaded = "{n for n in sys.modules if n.split('.')[0] not in sys.stdlib_module_names}"
    finished = run(
        *("python", "-S", "-c"),
        "import sys; from stigmem_cursor_plugin.startup import install; install();"
        f"print(*sorted({loaded} - {{'__main__'}}))",
        PYTHONPATH=str(ROOT),
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "stigmem_cursor_plugin stigmem_cursor_plugin.startup\n"


def test_other_commands_load_no_plugin(run: Run, tmp_path: Path) -> None:
    """``stigmem --help`` neither looks for plugins nor imports pluggy."""
    _add_plugin(tmp_path, "raise RuntimeError('broken')")
    finished = run("stigmem", "--help", PYTHONPATH=str(tmp_path), PYTHONPROFILEIMPORTTIME="1")
    assert finished.returncode == 0
    assert "stigmem_cursor_plugin.startup" in finished.stderr
    assert "pluggy" not in finished.stderr
    assert "other_plugin" not in finished.stderr


def test_help_loads_no_command(run: Run) -> None:
    """Help, and the commands of the host, load what the commands are and not what they do."""
    finished = run("stigmem", "federation", "--help", PYTHONPROFILEIMPORTTIME="1")
    names = [line.split("|")[-1].strip() for line in finished.stderr.splitlines()]
    parts = {name.removeprefix("stigmem_cursor_plugin.") for name in names}
    assert "commands.definitions.cursor_import" in parts
    assert not {"commands.cursor_import", "core", "stores", "checkpoints", "host"} & parts


def test_other_programs_import_only_the_startup_file(run: Run) -> None:
    """A Python that has nothing to do with the host imports two small modules and no more."""
    finished = run("python", "-c", "pass", PYTHONPROFILEIMPORTTIME="1")
    names = [line.split("|")[-1].strip() for line in finished.stderr.splitlines()]
    ours = [name for name in names if name.startswith("stigmem_cursor_plugin")]
    assert ours == ["stigmem_cursor_plugin", "stigmem_cursor_plugin.startup"]
    assert not {"argparse", "pluggy", "json", "sqlite3", "typing"} & set(names)


def test_startup_files_name_the_same_function() -> None:
    """The .start file for Python 3.15 and the .pth file for older ones call one function."""
    site_packages = Path(sysconfig.get_path("purelib"))
    start = (site_packages / "stigmem_cursor_plugin.start").read_text().strip()
    module, function = start.split(":")
    path = (site_packages / "stigmem_cursor_plugin.pth").read_text()
    assert callable(getattr(importlib.import_module(module), function))
    assert f"from {module} import {function}" in path
    assert path.startswith("import ")
    assert path.count("\n") == 1


def test_a_startup_file_that_is_read_twice(run: Run) -> None:
    """Where Python reads the startup file twice, the second time changes nothing."""
    line = (ROOT / "startup" / "stigmem_cursor_plugin.pth").read_text()
    count = "print(sum(type(f).__name__ == '_HostCliFinder' for f in sys.meta_path))"
    finished = run("python", "-S", "-c", f"{line}{line}{count}", PYTHONPATH=str(ROOT))
    assert (finished.stdout, finished.stderr) == ("1\n", "")


def test_startup_file_cannot_raise(tmp_path: Path) -> None:
    """Without the package the .pth file does nothing, silently."""
    line = (ROOT / "startup" / "stigmem_cursor_plugin.pth").read_text()
    finished = subprocess.run(
        [sys.executable, "-I", "-S", "-c", line], check=False, capture_output=True, text=True
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


@pytest.fixture
def native_host(tmp_path: Path) -> Path:
    """A copy of the installed host to which the six lines of ``docs/host-hook.md`` were added."""
    copy = copy_of_the_host(tmp_path)
    call_the_hook(copy)
    return copy.parent


WITHOUT_STARTUP = """
import sys
sys.meta_path[:] = [f for f in sys.meta_path if type(f).__name__ != "_HostCliFinder"]
from stigmem_node.cli import main
sys.argv[0] = "stigmem"
main()
"""


def test_native_host_without_startup_files(native_host: Path, tmp_path: Path) -> None:
    """A host that calls the hook needs no startup file."""
    finished = subprocess.run(
        [BIN / "python", "-c", WITHOUT_STARTUP, "federation", "cursor-import", "--help"],
        env=environment_for(BIN, PYTHONPATH=str(native_host)),
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert OURS in finished.stdout
    assert finished.stderr == ""


def test_native_host_is_left_alone(native_host: Path, stigmem: Run) -> None:
    """Where the host calls the hook, the startup file does not call it again."""
    noisy = (
        "import sys, pluggy\n@pluggy.HookimplMarker('stigmem')\n"
        "def stigmem_register_federation_commands(subparsers): print('called', file=sys.stderr)"
    )
    _add_plugin(native_host, noisy)
    finished = stigmem("cursor-import", "--help", PYTHONPATH=str(native_host))
    assert OURS in finished.stdout
    assert finished.stderr == "called\n"
