"""The sentence for each thing that a check finds."""

from datetime import timedelta

import pytest

from stigmem_cursor_plugin.core.problem import Problem, Trouble
from stigmem_cursor_plugin.reports import problems
from stigmem_cursor_plugin.reports.program import Program


def of_peer(trouble: Trouble, detail: str = "", facts: int = 0, *, waits: bool = False) -> Problem:
    """Return a problem with node-b."""
    return Problem(
        trouble,
        "s.db",
        detail,
        peer="stigmem://node-b",
        direction="inbound",
        facts=facts,
        awaits_approval=waits,
    )


CATCH_UP = "`stigmem-cursor catchup`"
ACCEPT = (
    "if every peer is caught up and this is still reported, accept the loss: "
    "`stigmem-cursor export --force --out c.json`"
)
RECOVER = f"stop the node and run `stigmem-cursor import FILE`, or without a checkpoint {CATCH_UP}"
SENTENCES = [
    (Problem(Trouble.UNREADABLE, "c.json", "cannot read"), "cannot read"),
    (Problem(Trouble.INVALID, "c.json", "not JSON"), "not JSON"),
    (
        Problem(Trouble.OTHER_NODE, "c.json", "x", expected="a"),
        "c.json is the checkpoint of node x, and this database is that of a",
    ),
    (
        Problem(Trouble.SEVERAL_NODES, "kept", "a, x"),
        "kept holds the checkpoints of several nodes (a, x), and this database does not say which "
        "node it is of; name the file instead",
    ),
    (
        Problem(Trouble.NO_CHECKPOINT, "kept"),
        "no checkpoint of this node in directory kept",
    ),
    (
        Problem(Trouble.STALE, "-", age=timedelta(hours=30), limit=timedelta(hours=2)),
        "standard input: 30 h old, more than 2 h; is cursor-export still scheduled?",
    ),
    (
        Problem(Trouble.FROM_THE_FUTURE, "c.json", "2999"),
        "c.json: dated in the future (2999); check the clocks",
    ),
    (
        Problem(Trouble.TABLE_MISSING, "s.db"),
        f"s.db: the table replication_cursors is missing; {RECOVER}",
    ),
    (
        of_peer(Trouble.POSITION_LOST, facts=1_000),
        f"peer stigmem://node-b (inbound): 1,000 fact(s) received, but no position; {RECOVER}",
    ),
    (
        of_peer(Trouble.FACTS_GONE, "c.json", 2),
        "peer stigmem://node-b (inbound): the position is set, but 2 fact(s) up to it are missing; "
        f"stop the node and run `stigmem-cursor import --force c.json`, then {CATCH_UP}; {ACCEPT}",
    ),
    (
        of_peer(Trouble.FACTS_GONE, "kept/cursors-20260502T183000Z.json"),
        "peer stigmem://node-b (inbound): the position is set, but nothing shows that the facts up "
        "to it are there; stop the node and run `stigmem-cursor import --force "
        f"kept`, then {CATCH_UP}; "
        f"{ACCEPT.replace('c.json', 'kept')}",
    ),
    (
        of_peer(Trouble.FACTS_GONE, "-", 2),
        "peer stigmem://node-b (inbound): the position is set, but 2 fact(s) up to it are missing; "
        f"stop the node and run `stigmem-cursor import --force FILE`, then {CATCH_UP}; "
        f"{ACCEPT.replace('c.json', 'FILE')}",
    ),
    (
        of_peer(Trouble.PEER_NOT_FOUND, "-"),
        "peer stigmem://node-b (inbound): it is in standard input, but not in the peers table; "
        "have it register with this node again",
    ),
    (
        of_peer(Trouble.PEER_NOT_FOUND, "c.json"),
        "peer stigmem://node-b (inbound): it is in c.json, but not in the peers table; have it "
        "register with this node again",
    ),
    (
        of_peer(Trouble.WITHHELD, "c.json", 2),
        "peer stigmem://node-b (inbound): import would withhold it, 2 fact(s) are missing; "
        f"{CATCH_UP} fetches them",
    ),
    (
        of_peer(Trouble.WITHHELD, "c.json", waits=True),
        "peer stigmem://node-b (inbound): import would withhold it, facts may be missing; "
        f"approve the peer, then {CATCH_UP} fetches them",
    ),
    (
        of_peer(Trouble.ON_TRUST, "c.json"),
        "peer stigmem://node-b (inbound): nothing shows that its facts are there: c.json does not "
        f"count them, and the database holds none; {CATCH_UP} fetches them",
    ),
]


@pytest.mark.parametrize(("problem", "sentence"), SENTENCES)
def test_sentence(problem: Problem, sentence: str) -> None:
    """Each says what is wrong and, where there is something to do, what."""
    assert problems.sentence(problem, Program(standalone=True)) == sentence


def test_every_trouble_has_its_sentence() -> None:
    """No kind of trouble is left out above."""
    assert {problem.trouble for problem, _ in SENTENCES} == set(Trouble)
