"""The real programs, run in a subprocess as a user or a service would run them."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

CAN_MOUNT = (
    shutil.which("unshare") is not None
    and subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0
)

Finished = subprocess.CompletedProcess[str]


class Run(Protocol):
    """Runs a command line in a directory of its own, as a user would."""

    def __call__(
        self, *arguments: str, given: str | bytes | None = None, **environment: str
    ) -> Finished:
        """Return what the command printed and its exit status."""


def environment_for(binaries: Path, **variables: str) -> dict[str, str]:
    """Return an environment in which *binaries* come first and no node is configured."""
    inherited = {k: v for k, v in os.environ.items() if not k.upper().startswith("STIGMEM_")}
    return inherited | {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
        # A port that no node of another test can be on.
        "STIGMEM_PORT": "1",
        **variables,
    }


def run_in(
    directory: Path,
    arguments: Sequence[str],
    given: str | bytes | None = None,
    environment: Mapping[str, str] | None = None,
    binaries: Path = BIN,
) -> Finished:
    """Run a program of an environment and return what it printed and its exit status."""
    data = given.encode() if isinstance(given, str) else given
    finished = subprocess.run(
        [str(binaries / arguments[0]), *arguments[1:]],
        cwd=directory,
        env=environment_for(binaries, **(environment or {})),
        input=data if data is not None else b"",
        capture_output=True,
        check=False,
        timeout=120,
    )
    return subprocess.CompletedProcess(
        arguments, finished.returncode, finished.stdout.decode(), finished.stderr.decode()
    )


def take_interrupts() -> None:
    """Run in a child: undo what a shell's ``&`` or a service manager does to SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Return every sample: its name, its labels, its value."""
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def metrics_of(directory: Path, *arguments: str) -> list[tuple[str, dict[str, str]]]:
    """Run cursor-check in a directory and return the names and labels that it writes."""
    finished = run_in(directory, ("stigmem-cursor", "check", "--metrics", "-", *arguments))
    return [(name, labels) for name, labels, _ in samples(finished.stdout)]
