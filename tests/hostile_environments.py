"""Environments that a process may be given, and the promise that every command keeps in them."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from tests.another_user import NOBODY, as_nobody
from tests.builders import checkpoint, entry
from tests.database import Database
from tests.running import BIN, environment_for

GIVEN = checkpoint(entry("node-b"), entry("node-c", "1725349500000.10"))
STANDALONE = (str(BIN / "stigmem-cursor"),)
HOST = (str(BIN / "stigmem"), "federation")


@dataclass(frozen=True)
class Task:
    """One command line, as ``stigmem-cursor`` has it, and what is there when it is done."""

    line: str
    writes: str = ""
    imports: bool = False
    result: bool = False
    """It writes to standard output."""
    most_errors: int = 1
    """How many things can be wrong with it at once, each of which gets its own line."""


TASKS = (
    Task("export", result=True),
    Task("export --out out.json", writes="out.json"),
    Task("export --out kept", writes="kept"),
    Task("import given.json", imports=True),
    Task("import --json given.json", imports=True, result=True),
    Task("check", result=True),
    Task("check given.json", result=True),
    Task("check --json given.json", result=True),
    Task("check given.json --metrics out.prom", writes="out.prom", result=True, most_errors=2),
    Task("catchup nobody", most_errors=2),
    Task("--help", result=True),
    Task("import --help", result=True),
    Task("--version", result=True),
)


@dataclass(frozen=True)
class Hostile:
    """What a process is given: the shell's redirections, variables, limits, directory, arguments.

    With ``ordinary`` it is an ordinary user, whose directory it is, and not root. ``withheld``
    positions of the checkpoint prove nothing there.
    """

    name: str
    shell: str = 'exec "$@"'
    variables: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], object] = lambda _: None
    unset: str = ""
    python: tuple[str, ...] = ()
    ordinary: bool = False
    withheld: int = 0


def _shell(text: str) -> Hostile:
    return Hostile(text, text)


def _variables(**variables: str) -> Hostile:
    name = ", ".join(f"{key}={value[:20]}" for key, value in variables.items())
    return Hostile(name, variables=variables)


def _mode(name: str, mode: int) -> Hostile:
    def prepare(directory: Path) -> None:
        place = directory / name
        if not place.exists():
            place.write_text(GIVEN)
        place.chmod(mode)

    return Hostile(f"{name} has the mode {mode:03o}", prepare=prepare, ordinary=True)


def _hide_given(directory: Path) -> None:
    shut = directory / "shut"
    shut.mkdir()
    (directory / "given.json").rename(shut / "given.json")
    (directory / "given.json").symlink_to("shut/given.json")
    shut.chmod(0)


LONG, NOT_UTF8 = "$(printf %0300d 7)", "$(printf '\\377')"
ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
CLOSED = [
    f'exec "$@" {" ".join(closed)}'
    for closed in product(("", "<&-"), (">file", ">&-"), ("2>err", "2>&-"))
    if closed[1:] != (">file", "2>err")
]
ENVIRONMENTS: tuple[Hostile, ...] = (
    *map(_shell, CLOSED),
    _shell('exec "$@" >/dev/full'),
    _shell('exec "$@" 2>/dev/full'),
    _shell('exec "$@" >/dev/full 2>&1'),
    _shell('exec "$@" <&- >&- 2>/dev/full'),
    _shell('PYTHONUNBUFFERED=1 exec "$@" >/dev/full'),
    _shell('exec "$@" | exec 0<&-'),
    _shell('ulimit -f 0; exec "$@" >file'),
    _shell('ulimit -f 1; exec "$@" >file'),
    _shell('ulimit -f 64; exec "$@" >file'),
    _shell('PYTHONUNBUFFERED=1; export PYTHONUNBUFFERED; ulimit -f 1; exec "$@" >file'),
    *(_shell(f'ulimit -n {number}; exec "$@"') for number in (5, 6, 7, 8, 10)),
    *(_shell(f'ulimit -v {size}; exec "$@"') for size in (60_000, 80_000, 120_000)),
    _shell('umask 0777; exec "$@"'),
    _shell("trap '' PIPE; exec \"$@\""),
    _shell('mkdir gone; cd gone; rmdir ../gone; exec "$@"'),
    _variables(**ASCII),
    _variables(LANG="xx_YY.nonsense", LC_ALL="xx_YY.nonsense"),
    *(_variables(PYTHONIOENCODING=encoding) for encoding in ("latin-1", "idna", "undefined")),
    _variables(PYTHONUTF8="0", LC_ALL="C"),
    _variables(TERM="", COLUMNS="0"),
    _variables(TERM="nonsense\x1b", COLUMNS="abc"),
    _variables(COLUMNS="1"),
    _variables(COLUMNS="-5"),
    _variables(COLUMNS="9" * 300),
    _variables(TMPDIR="/nonexistent"),
    _variables(TZ="Nonsense/Nowhere"),
    Hostile("HOME unset", unset="HOME"),
    Hostile("PATH unset", unset="PATH"),
    _variables(HOME="/nonexistent"),
    *(
        _variables(STIGMEM_PORT=port)
        for port in ("99999999999", "-1", "0", "٣", "", " ", "1e3", "9" * 5000, "\udcff")
    ),
    *(
        _variables(STIGMEM_HOST=host)
        for host in ("", "[::", "a" * 300, "a..b", "127.0.0.1:1", "\n", "\udcff", "999.1.1.1")
    ),
    *(
        _variables(STIGMEM_NODE_URL=url)
        for url in ("", "http://[::1", "http://127.0.0.1:99999999", "http://x:y", "\udcff", "//")
    ),
    *(
        _variables(STIGMEM_FEDERATION_PULL_INTERVAL_S=interval)
        for interval in ("9" * 30, "9" * 400, "1.5", "\u0663")
    ),
    # Without a pause, a fact that came just before a position moved may be of the page before.
    *(
        replace(_variables(STIGMEM_FEDERATION_PULL_INTERVAL_S=interval), withheld=1)
        for interval in ("-5", "0")
    ),
    _variables(STIGMEM_STORAGE_BACKEND="nonsense"),
    _variables(STIGMEM_STORAGE_BACKEND="\udcff\x1b[31m"),
    _variables(STIGMEM_AT_REST_ENCRYPTION="perhaps"),
    _variables(STIGMEM_DB_PATH=""),
    _variables(STIGMEM_DB_PATH="x" * 300),
    _variables(STIGMEM_DB_PATH="\udcff.db"),
    _variables(STIGMEM_DB_PATH="/"),
    _variables(STIGMEM_DB_PATH="/dev/zero"),
    Hostile(".env is a directory", prepare=lambda path: (path / ".env").mkdir()),
    Hostile(".env is a FIFO", prepare=lambda path: os.mkfifo(path / ".env")),
    Hostile(".env is binary", prepare=lambda path: (path / ".env").write_bytes(bytes(range(256)))),
    Hostile(".env leads to itself", prepare=lambda path: (path / ".env").symlink_to(".env")),
    *(_mode(".", mode) for mode in (0o000, 0o444, 0o111, 0o555)),
    *(_mode("stigmem.db", mode) for mode in (0o000, 0o444)),
    *(_mode("kept", mode) for mode in (0o000, 0o111, 0o555)),
    *(_mode(name, 0) for name in (".env", "given.json", "out.json", "out.prom")),
    Hostile("given.json may not be reached", prepare=_hide_given, ordinary=True),
    Hostile(
        "given.json is another's", 'chown 0 *.json; chmod 600 *.json; exec "$@"', ordinary=True
    ),
    *(
        _shell(f'exec "$@" {option}"{name}"')
        for option in ("", "--db ", "--out ", "--metrics ")
        for name in (LONG, NOT_UTF8, "/dev/full")
    ),
    _shell(f'ln -s stigmem.db "{NOT_UTF8}"; exec "$@" --db "{NOT_UTF8}"'),
    _shell(f'cp given.json "{NOT_UTF8}.json"; exec "$@" "{NOT_UTF8}.json"'),
    Hostile("python -I", python=("-I",)),
    Hostile("python -E -O", python=("-E", "-O")),
    Hostile("python -u -W error", python=("-u", "-W", "error")),
    Hostile("python -bb -X dev", python=("-bb", "-X", "dev")),
)


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it left."""

    status: int
    stdout: str
    stderr: str
    directory: Path


def run_cell(
    source: Path, directory: Path, program: Sequence[str], task: Task, hostile: Hostile
) -> Ended:
    """Run one command in one environment, in a directory of its own."""
    (directory / "kept").mkdir(parents=True)
    shutil.copy(source, directory / "stigmem.db")
    if task.imports:
        Database(directory / "stigmem.db").run("DELETE FROM replication_cursors")
    (directory / "given.json").write_text(GIVEN)
    hostile.prepare(directory)
    if hostile.ordinary and os.geteuid() == 0:
        for path in (directory, *directory.rglob("*")):
            os.lchown(path, NOBODY, NOBODY)
    environment = {**environment_for(BIN), **hostile.variables}
    environment.pop(hostile.unset, None)
    environment.pop("PYTHONPATH", None)
    words = task.line.split()
    if program == HOST and words[0] in ("export", "import", "check", "catchup"):
        words[0] = f"cursor-{words[0]}"
    python = [str(BIN / "python"), *hostile.python] if hostile.python else []
    user = as_nobody() if hostile.ordinary else []
    finished = subprocess.run(
        ["/bin/sh", "-c", hostile.shell, "sh", *user, *python, *program, *words],
        cwd=directory,
        env={key: os.fsencode(value) for key, value in environment.items()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
    )
    stdout, stderr = finished.stdout.decode(errors="replace"), finished.stderr.decode()
    stdout += _text(directory / "file")
    stderr += _text(directory / "err")
    return Ended(finished.returncode, stdout, stderr, directory)


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def faults(task: Task, hostile: Hostile, ended: Ended) -> Iterator[str]:
    """Return how a command broke the promise."""
    said = ended.stdout + ended.stderr
    if "Traceback" in said or "Exception ignored" in said:
        yield "a traceback"
    if ended.status not in (0, 1, 2, 3, 141):
        yield f"status {ended.status}"
    errors = sum(line.startswith("error: ") for line in ended.stderr.splitlines())
    heard = (
        "2>&-" not in hostile.shell
        and "2>/dev/full" not in hostile.shell
        and ("2>&1" not in hostile.shell)
    )
    in_document = "check --json" in task.line and '"fit": false' in ended.stdout
    as_promised = 1 <= errors <= task.most_errors or in_document
    if heard and ended.status == 1 and not as_promised:
        yield f"{errors} error lines"
    # The status of a pipe is that of its last command.
    if ended.status == 0 and errors and "|" not in hostile.shell:
        yield "an error line, and status 0"
    yield from _half_done(task, hostile, ended)


def _half_done(task: Task, hostile: Hostile, ended: Ended) -> Iterator[str]:
    directory = ended.directory
    if task.imports:
        rows, all_rows = len(Database(directory / "stigmem.db").cursors()), 2 - hostile.withheld
        done = ended.status == (3 if hostile.withheld else 0)
        lost_its_output = ended.status in (1, 141) and rows == all_rows and task.result
        if rows != (all_rows if done or lost_its_output else 0):
            yield f"{rows} positions, status {ended.status}"
    if task.writes:
        place = directory / task.writes
        files = list(place.iterdir()) if place.is_dir() else [place] if place.exists() else []
        named_last = "--out" in hostile.shell or "--metrics" in hostile.shell
        if ended.status == 0 and not files and not named_last:
            yield "nothing written"
        for path in files:
            if path.suffix == ".json" and len(json.loads(path.read_text())["cursors"]) != 2:
                yield f"{path.name} is not whole"
    if list(directory.rglob(".stigmem-cursor.*")):
        yield "a temporary file is left"
