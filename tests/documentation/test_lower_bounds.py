"""The oldest releases that pyproject.toml allows are ones that work."""

import os
import subprocess
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.running import ROOT, fresh_environment

EXTRAS = ("", "fast", "metrics")
"""What the package itself uses. Every release of the host has a test of its own."""

PART = (
    *("tests/core", "tests/checkpoints", "tests/host/test_settings.py"),
    *("tests/acceptance/export", "tests/acceptance/import", "tests/acceptance/check"),
)
"""The tests in which the package's dependencies do most of their work."""


def oldest() -> Iterator[str]:
    """Yield a constraint for each dependency: the oldest release that is allowed."""
    for line in requires("stigmem-cursor-plugin") or ():
        wanted = Requirement(line)
        if not wanted.marker or any(wanted.marker.evaluate({"extra": name}) for name in EXTRAS):
            (bound,) = wanted.specifier
            assert bound.operator == ">=", line
            yield f"{wanted.name}=={bound.version}"


@pytest.mark.slow
def test_lower_bounds(wheel: Path, tmp_path: Path) -> None:
    """The tests of the package's core pass with the oldest releases that it allows."""
    chosen = tmp_path / "oldest.txt"
    chosen.write_text("\n".join(oldest()))
    binaries = fresh_environment(tmp_path, wheel, "--constraint", str(chosen), f"{wheel}[test]")
    python = str(binaries / "python")
    subprocess.run([python, "-m", "tools.hosts"], cwd=ROOT, check=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    finished = subprocess.run(
        [python, "-m", "pytest", "-q", "-n", "2", "-m", "not slow and not long", *PART],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-4000:]
