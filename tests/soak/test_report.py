"""The report of the soaks."""

from dataclasses import replace
from pathlib import Path

from soak import report, results
from soak.results import Record, Recovered
from tools.hosts import ROOT

RECORD = Record(
    seed=1,
    seconds=600,
    relays=False,
    plugin=True,
    date="2026-01-01",
    machine="Python 3.11",
    host="stigmem-node 0.9",
    held={"node-a": 1200},
    missing=0,
    unverifiable=0,
    twice=0,
    faults={"cursor table dropped": 2},
    recovered={"cursor table dropped": Recovered(2, 20.0, 31.0)},
    losses=2,
    alarms=2,
    commands={"cursor-export": 10},
    refused=3,
    killed=1,
    tracebacks=0,
    fetched=5,
    whole=2400,
    problems=[],
)


def test_page_is_of_the_results() -> None:
    """The page that is committed is the one that the committed results make."""
    assert report.page(results.load()) == report.PAGE.read_text(encoding="utf-8")


def test_findings_have_their_tests() -> None:
    """Every test that the page names is there."""
    assert [test for _, test in report.FOUND if not (ROOT / test).is_file()] == []


def test_recoveries() -> None:
    """A kind of fault has its count and the times of its recoveries."""
    assert "| cursor table dropped | 2 | 20 s | 31 s |" in report.page([RECORD])


def test_problem_is_told() -> None:
    """What went wrong in a soak stands on the page, with its seed."""
    page = report.page([replace(RECORD, problems=["node-a: a stray file"])])
    assert "Wrong with seed 1, without relays: node-a: a stray file" in page


def test_same_soak_again(tmp_path: Path) -> None:
    """A soak that is played again takes the place of its earlier record, and no other's."""
    path = tmp_path / "results.json"
    other = replace(RECORD, seed=2)
    for record in (RECORD, other, replace(RECORD, missing=7)):
        kept = results.keep(record, path)
    assert [(one.seed, one.missing) for one in kept] == [(1, 7), (2, 0)]
    assert results.load(path) == kept
