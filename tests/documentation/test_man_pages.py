"""The man pages as ``man`` and ``apropos`` see them."""

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.running import ROOT

PAGES = sorted((ROOT / "man").iterdir())
PYTHONS = ("3.11", "3.12", "3.13")
SECTIONS = ("NAME", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO")


def interpreter(version: str) -> str | None:
    """Find a Python of this version: on PATH, or among those that pyenv keeps."""
    candidates = [shutil.which(f"python{version}")]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += [str(path) for path in pyenv.glob(f"{version}*/bin/python")]
    for candidate in filter(None, candidates):
        command = [candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        said = subprocess.run(command, check=False, capture_output=True, text=True).stdout
        if said.strip() == version:
            return candidate
    return None


@pytest.mark.parametrize("version", PYTHONS)
def test_regenerating_gives_the_same_bytes(version: str, tmp_path: Path) -> None:
    """On each Python, at another width, in another zone and year, the pages are the same."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    # The generator and all that it imports is pure Python, so one environment serves all.
    packages = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
    elsewhere = {"COLUMNS": "40", "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "86400"}
    subprocess.run(
        [python, "-m", "tools.man_pages", str(tmp_path)],
        check=True,
        cwd=ROOT,
        env={**os.environ, **elsewhere, "PYTHONPATH": packages},
    )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in PAGES
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sections(page: Path) -> None:
    """Each page has the sections that a reader looks for, and names every other page."""
    text = page.read_text(encoding="utf-8")
    assert set(SECTIONS) <= set(re.findall(r"^\.SH (.*)$", text, re.MULTILINE))
    named = re.findall(r"^\.BR (\S+) \((\d)\)", text, re.MULTILINE)
    others = {f"{name}.{section}".replace("\\", "") for name, section in named}
    assert others == {other.name for other in PAGES} - {page.name}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.skipif(shutil.which("man") is None, reason="no man on this machine")
def test_nothing_is_wider_than_a_terminal(page: Path) -> None:
    """At 80 columns no line is wider, and no name is broken at a hyphen."""
    finished = subprocess.run(
        ["man", "-E", "UTF-8", "-l", str(page)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANPAGER": "cat"},
    )
    assert [line for line in finished.stdout.splitlines() if len(line) > 80] == []
    assert "\N{HYPHEN}\n" not in finished.stdout


def test_environment_is_the_command_s_own() -> None:
    """Only import and catch-up ask the node; only import and check reckon with the interval."""
    naming = {
        name: {page.stem for page in PAGES if name in page.read_text(encoding="utf-8")}
        for name in ("STIGMEM_TLS_KEY_PATH", "STIGMEM_FEDERATION_PULL_INTERVAL_S", "undo\\-YYYY")
    }
    command = "stigmem-federation-cursor-"
    assert naming == {
        "STIGMEM_TLS_KEY_PATH": {"stigmem-cursor", f"{command}import", f"{command}catchup"},
        "STIGMEM_FEDERATION_PULL_INTERVAL_S": {
            "stigmem-cursor",
            f"{command}import",
            f"{command}check",
        },
        "undo\\-YYYY": {"stigmem-cursor", f"{command}import"},
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.skipif(shutil.which("man") is None, reason="no man on this machine")
def test_man_does_not_warn(page: Path) -> None:
    """``man --warnings`` renders the page in silence."""
    finished = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(page)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"},
    )
    assert finished.stderr == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.skipif(shutil.which("lexgrog") is None, reason="no lexgrog on this machine")
def test_name_is_found_by_apropos(page: Path) -> None:
    """``lexgrog`` finds the name of the page and a description."""
    finished = subprocess.run(["lexgrog", str(page)], check=True, capture_output=True, text=True)
    assert finished.stderr == ""
    assert re.fullmatch(rf'{page}: "{page.stem} - .{{10,}}"\n', finished.stdout)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.skipif(shutil.which("man") is None, reason="no man on this machine")
def test_man_finds_the_installed_page(page: Path, hostless: Path) -> None:
    """``man NAME`` shows the page in the environment that the plugin was installed in."""
    path = f"{hostless}{os.pathsep}{os.environ['PATH']}"
    environment = {k: v for k, v in os.environ.items() if k != "MANPATH"} | {"PATH": path}
    finished = subprocess.run(
        ["man", "--where", page.suffix[1:], page.stem],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert Path(finished.stdout.strip()).read_bytes() == page.read_bytes()
    assert str(hostless.parent) in finished.stdout
