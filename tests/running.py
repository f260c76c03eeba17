"""The real programs, run in a subprocess as a user or a service would run them."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tools.hosts import pip

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

CAN_MOUNT = (
    shutil.which("unshare") is not None
    and subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0
)


def _strace_works() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "true"], check=False, capture_output=True).returncode == 0


NEEDS_STRACE = pytest.mark.skipif(not _strace_works(), reason="strace cannot be used here")

Finished = subprocess.CompletedProcess[str]
Stigmem = Callable[..., Finished]
"""Runs ``stigmem-cursor`` in this process."""


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


def without(module: str, *arguments: str) -> tuple[str, ...]:
    """Return what runs ``stigmem-cursor`` as if *module* were not installed."""
    program = (
        "import sys; sys.modules[sys.argv.pop(1)] = None;"
        "from stigmem_cursor_plugin.cli import main; main()"
    )
    return ("python", "-c", program, module, *arguments)


def take_interrupts() -> None:
    """Run in a child: undo what a shell's ``&`` or a service manager does to SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def on_terminal(
    arguments: Sequence[str | Path],
    directory: Path,
    enough: Callable[[str], bool] = lambda _: False,
    typed: str = "",
    variables: Mapping[str, str] | None = None,
    columns: int = 80,
) -> str:
    """Run a program on a terminal of its own and return what it showed, up to *enough*."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, columns))
    environment = {**environment_for(BIN), "TERM": "xterm", **(variables or {})}
    process = subprocess.Popen(
        [str(word) for word in arguments],
        cwd=directory,
        env={name: value for name, value in environment.items() if value},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    shown = b""
    try:
        with closing(os.fdopen(ours, "r+b", buffering=0)) as terminal:
            terminal.write(typed.encode())
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not enough(shown.decode(errors="replace")):
                if select.select([terminal], [], [], 0.1)[0]:
                    try:
                        data = terminal.read(65536)
                    except OSError:
                        break
                    if not data:
                        break
                    shown += data
    finally:
        process.kill()
        process.wait()
    return shown.decode(errors="replace")


def without_codes(shown: str) -> str:
    """Return what stands on a terminal in the end, near enough, with single spaces."""
    return " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x08", "", shown).split())


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


def fresh_environment(directory: Path, wheel: Path, *constraints: str) -> Path:
    """Make a virtual environment, install the wheel in it and return where its programs are."""
    venv.create(directory)
    pip(directory / "bin" / "python", "install", "--no-compile", str(wheel), *constraints)
    return directory / "bin"


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a directory that one worker of a run makes and that all of them use."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    directory = base / name
    complete = base / f"{name}.complete"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            directory.mkdir()
            make(directory)
            complete.touch()
    return directory
