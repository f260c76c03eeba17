"""What a person meets: advice after a typing error, colour, progress, completion."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders import checkpoint, entry
from tests.running import BIN, ROOT, Run, environment_for, on_terminal, without_codes

COMPLETIONS = ROOT / "completions"


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("cursor-import",), "for example: stigmem federation cursor-import /backup/cursors.json"),
        (("cursor-import", "--dryrun", "c.json"), "did you mean --dry-run?"),
        (("cursor-import", "c.json", "--forec"), "did you mean --force?"),
        (("cursor-export", "c.json"), "for example: stigmem federation cursor-export --out /"),
        (
            ("cursor-export", "--keep", "0"),
            "for example: stigmem federation cursor-export --out /backup/cursors/ --keep 100",
        ),
        (("cursor-check", "--max-aeg=1h"), "did you mean --max-age?"),
        (
            ("cursor-check", "--max-age", "30"),
            "for example: stigmem federation cursor-check --max-age 30m /backup/",
        ),
    ],
)
def test_advice(stigmem: Run, arguments: tuple[str, ...], advice: str) -> None:
    """A usage error ends with what to type instead; exit status 2."""
    finished = stigmem(*arguments)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith(f"usage: stigmem federation {arguments[0]} ")
    assert finished.stderr.splitlines()[-1].startswith(advice)


COMMANDS = ("cursor-export", "cursor-import", "cursor-check", "cursor-catchup")


@pytest.mark.parametrize("command", COMMANDS)
def test_help(stigmem: Run, command: str) -> None:
    """The help of every command shows examples and the exit status."""
    text = stigmem(command, "-h").stdout
    assert f"\nexamples:\n  stigmem federation {command}" in text
    assert "\nexit status:\n  0  " in text


@pytest.mark.parametrize("command", [(), *((name.removeprefix("cursor-"),) for name in COMMANDS)])
def test_help_fits(run: Run, command: tuple[str, ...]) -> None:
    """At 80 columns no line of the help is wider, and no name is broken at a hyphen."""
    text = run("stigmem-cursor", *command, "-h", COLUMNS="80").stdout
    assert [line for line in text.splitlines() if len(line) > 80 or line.endswith("-")] == []


ERROR = "no database at none.db; name the node's with --db or STIGMEM_DB_PATH"


@pytest.mark.parametrize(
    ("variables", "begin"),
    [
        ({}, "\x1b[1;31merror:\x1b[0m "),
        ({"NO_COLOR": "1"}, "error: "),
        ({"TERM": "dumb"}, "error: "),
    ],
    ids=["terminal", "NO_COLOR", "dumb"],
)
def test_colour(tmp_path: Path, variables: dict[str, str], begin: str) -> None:
    """Only a terminal that is not asked to go without gets colour."""
    command = [str(BIN / "stigmem-cursor"), "export", "--db", "none.db"]
    assert on_terminal(command, tmp_path, variables=variables) == f"{begin}{ERROR}\r\n"


def test_no_colour_in_a_pipe(run: Run) -> None:
    """A pipe gets none, whatever TERM says."""
    finished = run("stigmem-cursor", "export", "--db", "none.db", TERM="xterm-256color")
    assert finished.stderr == f"error: {ERROR}\n"


def test_progress(tmp_path: Path) -> None:
    """Work of more than a second is named on a terminal and wiped away after it."""
    given = checkpoint(entry("node-b"))
    (tmp_path / "c.json").write_text(given)
    os.mkfifo(tmp_path / "slow.json")
    feeder = subprocess.Popen(
        ["bash", "-c", "exec 3>slow.json; sleep 2; cat c.json >&3"], cwd=tmp_path
    )
    try:
        shown = on_terminal([BIN / "stigmem-cursor", "check", "slow.json"], tmp_path)
    finally:
        feeder.kill()
        feeder.wait()
    line = "reading the checkpoints …"
    assert shown.startswith(f"{line}\r{' ' * len(line)}\rslow.json: valid, 1 position(s)")


BASH = """
try() {
  source "COMPLETIONS/$1"
  completer=$(complete -p "$1" | grep -o -- '-F [^ ]*' | cut -d' ' -f2)
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  "$completer" "$1" "${COMP_WORDS[COMP_CWORD]}"
  echo "${COMPREPLY[*]}"
}
try stigmem-cursor im
try stigmem-cursor import --dr
try stigmem-cursor check cur
try stigmem fed
try stigmem federation cursor-i
try stigmem federation cursor-import --dr
try stigmem federation cursor-check cur
"""


def test_bash_completes(tmp_path: Path) -> None:
    """Bash completes commands, options and file names, of both programs."""
    (tmp_path / "cursors.json").touch()
    script = BASH.replace("COMPLETIONS", str(COMPLETIONS))
    finished = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert finished.stdout.splitlines() == [
        *("import", "--dry-run", "cursors.json"),
        *("federation", "cursor-import", "--dry-run", "cursors.json"),
    ]


both_programs = pytest.mark.parametrize(
    ("program", "way"), [("stigmem-cursor", ""), ("stigmem", "federation cursor-")]
)


def needs(shell: str) -> pytest.MarkDecorator:
    """Skip a test where this machine does not have the shell."""
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"no {shell} on this machine")


@both_programs
@needs("fish")
def test_fish_completes(program: str, way: str, tmp_path: Path) -> None:
    """Fish completes commands and options, with what they are for."""
    script = (
        f"source {COMPLETIONS / program}.fish; complete -C '{program} {way}im'; "
        f"complete -C '{program} {way}import --dr'"
    )
    finished = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=tmp_path,
        env=environment_for(BIN, HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        check=True,
    )
    command = f"{way}import".split()[-1]
    assert finished.stdout.splitlines() == [
        f"{command}\trestore replication cursors from a checkpoint file after DB loss",
        "--dry-run\tsay what import would do, and change nothing",
    ]


@both_programs
@needs("zsh")
def test_zsh_completes(program: str, way: str, tmp_path: Path) -> None:
    """Zsh, from its search path, completes commands and options as they are typed."""
    typed = (
        f"fpath=({COMPLETIONS} $fpath); autoload -U compinit; compinit -u -D; PS1=ready\n"
        f"{program} {way}imp\t--dr\t"
    )
    line = f"{program} {way}import --dry-run"
    shown = on_terminal(
        ["zsh", "-f", "-i"],
        tmp_path,
        enough=lambda text: line in without_codes(text),
        typed=typed,
        variables={"HOME": str(tmp_path)},
    )
    assert line in without_codes(shown)
