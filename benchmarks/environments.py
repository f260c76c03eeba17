"""Environments with the host alone, with the plugin, and with its extra ``fast``."""

import shutil
import venv
from pathlib import Path

from benchmarks.measure import once
from tools.hosts import RELEASES, ROOT, environment, pip

PLUGINS = {"plugin": f"{ROOT}", "plugin[fast]": f"{ROOT}[fast]"}
HOST = "host"


def make(directory: Path) -> dict[str, Path]:
    """Return the programs of each environment, made once and kept in *directory*."""
    found = {}
    for name in (HOST, *PLUGINS):
        target = directory / name.replace("[", "-").rstrip("]")
        python = target / "bin" / "python"
        if not python.exists():
            venv.create(target, with_pip=True)
            pip(python, "install", f"stigmem-node=={RELEASES[-1]}")
            with environment(RELEASES[-1]) as host:
                for migrations in host.glob("lib/python*/migrations*"):
                    shutil.copytree(migrations, next(target.glob("lib/python*")) / migrations.name)
        if name in PLUGINS:
            pip(python, "install", PLUGINS[name])
        once([python, "-c", "import stigmem_node.cli"], target)
        found[name] = target / "bin"
    return found
