"""What ``make mutants`` takes for a survivor, and when it fails."""

import json
from pathlib import Path

import pytest

from tests.running import ROOT
from tools import mutants
from tools.mutants import Mutant
from tools.mutants_skipped import decides_nothing

LESS = Mutant("page.py", "judge", "if size < 5:", "if size <= 5:")
DIFF = """\
--- mutation diff ---
--- a/core/page.py
+++ b/core/page.py
@@ -1,3 +1,3 @@
     size = 5
-    if size < 5:
+    if size <= 5:
         return"""
LISTED = """\
[[survivor]]
module = "page.py"
within = "judge"
before = "if size < 5:"
after = "if size <= 5:"
reason = "it cannot be told"
"""


def line(test: str | None = None, worker: str = "normal", diff: str = DIFF) -> str:
    """Return a line of a dump: one change, and what became of it."""
    change = {"module_path": "core/page.py", "definition_name": "judge", "operator_name": "x"}
    result = {"worker_outcome": worker, "test_outcome": test, "diff": diff}
    return json.dumps([{"job_id": "1", "mutations": [change]}, result])


KILLED, SURVIVED, SKIPPED = line("killed"), line("survived"), line(worker="skipped")
NOT_RUN = json.dumps([json.loads(KILLED)[0], None])


def judged(tmp_path: Path, listed: str, *dump: str) -> int:
    """Return the exit status for a list and a dump."""
    path = tmp_path / "mutants.toml"
    path.write_text(listed, encoding="utf-8")
    return mutants.main(path, dump)


def test_counts() -> None:
    """Every change is counted as skipped, killed or survived."""
    found = mutants.read([KILLED, KILLED, SURVIVED, SKIPPED])
    assert (found.made, found.skipped, found.killed) == (4, 1, 2)
    assert found.survived == {LESS: 1}


def test_removed_line() -> None:
    """A line that was removed, as a decorator is, has nothing after it."""
    (found,) = mutants.read([line("survived", diff="--- a\n+++ b\n-    @property\n")]).survived
    assert (found.before, found.after) == ("@property", "")


def test_survivors_are_the_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If the survivors are those listed, the status is 0 and the counts are all that is said."""
    assert judged(tmp_path, LISTED, SURVIVED, KILLED, SKIPPED) == 0
    assert capsys.readouterr().out == "3 made, 1 skipped, 1 killed, 1 survived, 1 listed\n"


def test_survivor_that_is_not_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A survivor that is not listed fails, and is printed as the list wants it."""
    assert judged(tmp_path, "", SURVIVED, KILLED) == 1
    printed = capsys.readouterr().out
    assert "# survived, and is not listed:\n" in printed
    entry = printed.split("\n\n")[0] + '\nreason = "it cannot be told"\n'
    assert mutants.listed(entry) == mutants.listed(LISTED)


def test_listed_one_that_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mutant that is listed and did not survive fails: the list is not to grow old."""
    assert judged(tmp_path, LISTED, KILLED) == 1
    assert "# is listed, and did not survive:\n[[survivor]]\n" in capsys.readouterr().out


def test_one_entry_for_each(tmp_path: Path) -> None:
    """Two survivors with one text need two entries."""
    assert judged(tmp_path, LISTED, SURVIVED, SURVIVED, KILLED) == 1
    assert judged(tmp_path, LISTED * 2, SURVIVED, SURVIVED, KILLED) == 0


@pytest.mark.parametrize(
    "unfinished", [NOT_RUN, line("incompetent", "exception"), line(None, "no-test")]
)
def test_what_was_not_run(unfinished: str, tmp_path: Path) -> None:
    """A change that no test was run on fails."""
    assert judged(tmp_path, "", unfinished, KILLED) == 1


@pytest.mark.parametrize("dump", [[], [SKIPPED]])
def test_nothing_killed(dump: list[str], tmp_path: Path) -> None:
    """A run that killed nothing shows nothing, and fails."""
    assert judged(tmp_path, "", *dump) == 1


@pytest.mark.parametrize("reason", ["", 'reason = " "'])
def test_every_entry_has_a_reason(reason: str) -> None:
    """A list with an entry that gives no reason is refused."""
    with pytest.raises(ValueError, match="no reason"):
        mutants.listed(LISTED.replace('reason = "it cannot be told"', reason))


def test_the_list() -> None:
    """Each entry of the list is a change to a line that its module has."""
    for entry in mutants.listed((ROOT / "mutants.toml").read_text(encoding="utf-8")):
        path = ROOT / "stigmem_cursor_plugin" / "core" / entry.module
        lines = [text.strip() for text in path.read_text(encoding="utf-8").splitlines()]
        assert entry.before in lines
        assert entry.after not in lines


SOURCE = """\
kept: int | None = 5 | 3
def sum_of(a: int | str, *, b: int = 2 | 1) -> int | None:
    return a | b
"""


@pytest.mark.parametrize(
    ("text", "decides"),
    [
        ("| None =", False),
        ("| 3", True),
        ("| str", False),
        ("*,", False),
        ("| 1)", True),
        ("| None:", False),
        ("| b", True),
    ],
)
def test_signatures_and_annotations(text: str, decides: bool) -> None:
    """A change to a signature or an annotation decides nothing; one to a default value does."""
    before = SOURCE[: SOURCE.index(text)]
    position = before.count("\n") + 1, len(before) - before.rfind("\n") - 1
    assert decides_nothing(SOURCE, position) is not decides
