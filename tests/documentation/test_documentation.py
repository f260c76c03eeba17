"""The documentation shows what the program prints."""

import html
import json
import re
import subprocess
from pathlib import Path

import pytest

from benchmarks import recovery, summary
from stigmem_cursor_plugin.core.cost import Repull
from stigmem_cursor_plugin.core.decision import Outcome
from stigmem_cursor_plugin.reports.formatting import duration
from tests.running import BIN, ROOT
from tools import console

PACKAGE = ROOT / "stigmem_cursor_plugin"


def steady(text: str) -> str:
    """Blank the age of a position, which grows by the day, and the column that it widens."""
    return re.sub(r" {2,}", "  ", re.sub(r"[0-9,]+ days ", "N days ", text))


def test_every_console_block(tmp_path: Path) -> None:
    """Played one after the other, the commands of the pages print the output shown there."""
    console.make_databases(tmp_path)
    pages = [(ROOT / name).read_text(encoding="utf-8") for name in console.PAGES]
    played = [pair for page in pages for pair in console.commands(page)]
    assert len(played) >= 16
    for command, shown in played:
        assert steady(console.run(command, tmp_path)) == steady(shown), command


def test_examples_fit() -> None:
    """No line of an example in the README is over a hundred columns."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in console.BLOCK.findall(readme):
        assert [line for line in block.splitlines() if len(line) > 100] == []


def test_first_commands_are_targets() -> None:
    """The two commands at the top of the README, and the stories, are targets of the Makefile."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^    make (\w+)", readme, re.MULTILINE) == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    stories = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:`|^    )make ([\w-]+)", readme + stories, re.MULTILINE)):
        pattern = re.sub(r"^story-.*", "story-%", target)
        assert re.search(rf"^{pattern}:", makefile, re.MULTILINE), target


def test_story_of_the_readme() -> None:
    """The facts that the README says a node ends with are those of the story."""
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    page = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
    row = re.search(r"^\| facts and positions lost.*", page, re.MULTILINE)
    assert row
    host, ours = re.findall(r"\d+ of 35", row[0])
    assert f"leaves a real node with {host} facts" in readme
    assert f"With this plugin it ends with {ours}." in readme


def test_ratios_are_those_measured() -> None:
    """The ratios of docs/speed.md are those of the last measurement."""
    page = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    assert "\n".join(summary.table()) in page


def test_recovery_is_as_measured() -> None:
    """The seconds and hours of docs/speed.md are those of the last measurement of a recovery."""
    data = json.loads((ROOT / "benchmarks" / "recovery.json").read_bytes())
    longest = max(data["recoveries"], key=lambda item: item["seconds"])
    given, caught_up = (
        next(
            item["seconds"]
            for item in data["recoveries"]
            if (item["way"], item["facts"]) == (way, longest["facts"])
        )
        for way in ("checkpoint", "catch-up")
    )
    page = " ".join((ROOT / "docs" / "speed.md").read_text(encoding="utf-8").split())
    assert (
        f"{longest['seconds']:.0f} s for {longest['facts']:,} facts without a checkpoint, "
        f"{given:.0f} s with one, and {caught_up:.0f} s with `cursor-catchup`" in page
    )


def test_hours_agree() -> None:
    """Every page and the chart give one figure for a re-pull, that of the program, and say when."""
    hours = f"{recovery.EXAMPLE_HOURS:.0f}"
    fast, default = (Repull(recovery.EXAMPLE_FACTS, seconds) for seconds in (10, 30))
    assert duration(fast.seconds) == f"{hours} h"
    assert duration(default.seconds) == "42 h"
    for name in ("README.md", "docs/runbook.md", "docs/speed.md", "benchmarks/recovery.md"):
        page = " ".join((ROOT / name).read_text(encoding="utf-8").split())
        assert f"{hours} hours (100 facts every 10 s" in page, name
        assert set(re.findall(r"([\d.]+) hours", page)) <= {hours, "42"}, name
    chart = (ROOT / "docs" / "recovery.svg").read_text(encoding="utf-8")
    assert f"{hours} h, computed: 100 facts every 10 s" in chart


def test_decision_table() -> None:
    """The table of docs/guarantees.md has every outcome that an import can have, and no other."""
    page = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    table = page.partition("| counted as |\n|---|---|---|\n")[2].partition("\n\n")[0]
    counted = {line.split(" | ")[-1].rstrip(" |") for line in table.splitlines()}
    outcomes = {
        outcome: {words for words in counted if outcome.value in words} for outcome in Outcome
    }
    assert all(outcomes.values())
    assert set().union(*outcomes.values()) == counted


@pytest.mark.parametrize(
    "name",
    [
        *("README.md", "CONTRIBUTING.md", "RELEASING.md", "SECURITY.md", "contrib/README.md"),
        *(
            f"docs/{page}.md"
            for page in (
                "architecture",
                "backends",
                "comparison",
                "examples",
                "guarantees",
                "json",
                "runbook",
                "shell",
                "speed",
            )
        ),
    ],
)
def test_links_lead_somewhere(name: str) -> None:
    """Every relative link of a page leads to a file of this repository."""
    page = ROOT / name
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_code_that_a_page_names_is_there(name: str) -> None:
    """Every file, folder and function that a page for contributors names is there."""
    text = (ROOT / name).read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+(?:\.py|/))`(?: \(`(\w+)`\))?", text)
    for block in re.findall(r"^```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        modules = re.findall(r"^ +(\w+(?:/\w*)?(?:, \w+)*)  ", block, re.MULTILINE)
        for module in (part for line in modules for part in line.split(", ")):
            named.append((module if module.endswith("/") else f"{module}.py", ""))
    assert len(named) > 8
    for path, inside in named:
        found = [base / path for base in (ROOT, PACKAGE) if (base / path).exists()]
        assert found, path
        assert not inside or re.search(rf"def {inside}\b", found[0].read_text()), (path, inside)


def test_commands_of_contributing_are_targets() -> None:
    """What CONTRIBUTING.md says to type is there."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?:`|^    )make ([\w-]+)", text, re.MULTILINE))
    assert len(targets) > 4
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for module in re.findall(r"`python -m ([\w.]+)`", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists()


@pytest.mark.slow
def test_recording_is_the_demo() -> None:
    """The picture in the README shows what the demo prints."""
    played = subprocess.run(
        [BIN / "python", "-m", "tools.demo"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    picture = html.unescape((ROOT / "docs" / "demo.svg").read_text(encoding="utf-8"))
    shown = re.findall(r"<text [^>]*demo-line-\d+[^>]*>(.*?)</text>", picture)
    assert _steady("".join(shown)) == _steady(played.stdout)


def _steady(text: str) -> str:
    """Leave out what differs from run to run, and where lines end."""
    text = re.sub(r"\s", "", text)
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z|\d[\d.]*(s|min)", "TIME", text)
