"""Each alarm names a command, and after that very command the alarm is over."""

import json
import re
import shlex
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.database import Database
from tests.running import Finished, Run

POSITION, EARLIER = "1725349500000.005", "1725349400000.0"


def move_back_and_lose_facts(node: Database) -> None:
    """Lose a fact, and the way from an earlier position: only that one can be backed up."""
    node.lose_fact()
    node.set_cursor("id-of-node-b", EARLIER)


LOSSES = {
    "row deleted": lambda node: node.run(
        "DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'"
    ),
    "position emptied": lambda node: node.run("UPDATE replication_cursors SET cursor = NULL"),
    "rows deleted": lambda node: node.run("DELETE FROM replication_cursors"),
    "table dropped": lambda node: node.run("DROP TABLE replication_cursors"),
    "moved back": lambda node: node.set_cursor("id-of-node-b", EARLIER),
    "facts lost": Database.lose_fact,
    "moved back, facts lost": move_back_and_lose_facts,
}


@pytest.fixture(params=["c.json", "cursors/"])
def out(request: pytest.FixtureRequest, node: Database, stigmem: Run, tmp_path: Path) -> str:
    """A FILE or a directory that holds a checkpoint of both peers."""
    (tmp_path / "cursors").mkdir()
    assert stigmem("cursor-export", "--out", request.param).returncode == 0
    return str(request.param)


def export(stigmem: Run, out: str) -> Finished:
    """Export as cron does."""
    keep = ["--keep", "2"] if out.endswith("/") else []
    return stigmem("cursor-export", "--out", out, *keep)


def commands_in(finished: Finished) -> list[list[str]]:
    """Return the commands that end an alarm, as it says, without ``stigmem federation``."""
    (line,) = re.findall(r"^error: stop the node and run .*", finished.stderr, re.MULTILINE)
    return [shlex.split(command)[2:] for command in re.findall(r"`(stigmem [^`]*)`", line)]


def each(*usual: tuple[str, str]) -> list[Any]:
    """Return every way to export with every loss; all but the *usual* ones are slow.

    What a loss is, the tests of the core show.
    """
    return [
        case if case in usual else pytest.param(*case, marks=pytest.mark.slow)
        for case in product(("c.json", "cursors/"), LOSSES)
    ]


@pytest.mark.parametrize(
    ("out", "loss"),
    each(
        *product(["c.json"], LOSSES),
        *product(["cursors/"], ["facts lost", "moved back, facts lost"]),
    ),
    indirect=["out"],
)
def test_the_command_that_is_named_ends_the_alarm(
    node: Database, stigmem: Run, tmp_path: Path, out: str, loss: str
) -> None:
    """The alarm comes back at each export until its command was run, and then it is over.

    What catch-up fetches is put back by the test here: a peer that serves it is another test's.
    """
    LOSSES[loss](node)
    for _ in range(2):
        alarm = export(stigmem, out)
        assert alarm.returncode == 1
        assert "node-b (inbound)" in alarm.stderr
    named = commands_in(alarm)
    assert named
    for command in named:
        if command == ["cursor-catchup"]:
            node.add_facts("node-b", 1, first=2, receipt="again")
            node.set_cursor("id-of-node-b", POSITION)
        else:
            assert stigmem(*command).returncode in (0, 3)
    over = export(stigmem, out)
    assert (over.returncode, over.stderr.count("error")) == (0, 0)
    assert export(stigmem, out).returncode == 0
    if out.endswith("/"):
        assert len(list((tmp_path / out).glob("cursors-*.json"))) == 2


def test_facts_that_no_peer_has_any_more(node: Database, stigmem: Run, out: str) -> None:
    """Where catching up brings nothing back, the alarm says how to give up, and that ends it."""
    node.lose_fact()
    alarm = export(stigmem, out)
    for command in commands_in(alarm):
        if command == ["cursor-catchup"]:
            node.set_cursor("id-of-node-b", POSITION)
        else:
            assert stigmem(*command).returncode == 3
    alarm = export(stigmem, out)
    assert alarm.returncode == 1
    assert_giving_up_ends(alarm, stigmem, out)


def assert_giving_up_ends(alarm: Finished, stigmem: Run, out: str) -> None:
    """The last line of the alarm names the command that gives up, and that ends it."""
    assert alarm.stderr.splitlines()[-1] == (
        "error: if every peer is caught up and this is still reported, accept the loss: "
        f"`stigmem federation cursor-export --force --out {out}`"
    )
    assert stigmem("cursor-export", "--force", "--out", out).returncode == 0
    for _ in range(2):
        finished = export(stigmem, out)
        assert (finished.returncode, finished.stderr.count("error")) == (0, 0)


@pytest.mark.parametrize(
    ("out", "loss"),
    each(("c.json", "row deleted"), ("c.json", "table dropped"), ("cursors/", "facts lost")),
    indirect=["out"],
)
def test_force_ends_the_alarm(node: Database, stigmem: Run, out: str, loss: str) -> None:
    """``--force`` gives up what was lost: it is marked, and raises no alarm again."""
    LOSSES[loss](node)
    assert export(stigmem, out).returncode == 1
    assert stigmem("cursor-export", "--out", out, "--force").returncode == 0
    for _ in range(2):
        finished = export(stigmem, out)
        assert (finished.returncode, finished.stderr.count("error")) == (0, 0)


def test_force_is_marked_only_where_something_was_given_up(
    node: Database, stigmem: Run, tmp_path: Path, out: str
) -> None:
    """A checkpoint of a node that has lost nothing is not marked."""
    path = tmp_path / "c.json" if out == "c.json" else None
    assert stigmem("cursor-export", "--out", out, "--force").returncode == 0
    newest = path or max((tmp_path / out).glob("*.json"))
    assert "forced" not in json.loads(newest.read_text())
    LOSSES["row deleted"](node)
    assert stigmem("cursor-export", "--out", out, "--force").returncode == 0
    newest = path or max((tmp_path / out).glob("*.json"))
    assert json.loads(newest.read_text())["forced"] is True


@pytest.mark.parametrize("status", ["revoked", "rejected"])
def test_a_peer_that_was_dismissed(node: Database, stigmem: Run, out: str, status: str) -> None:
    """A peer that was revoked or rejected, and its row deleted, raises no alarm."""
    node.run("UPDATE peers SET status = ? WHERE id = 'id-of-node-b'", [status])
    node.run("DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'")
    finished = export(stigmem, out)
    assert (finished.returncode, finished.stderr.count("error")) == (0, 0)
