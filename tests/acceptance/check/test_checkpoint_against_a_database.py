"""``cursor-check`` of a checkpoint against a database: what import would do."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import ago, checkpoint, entry, position, received, timestamp
from tests.database import Database
from tests.running import Finished, Run

Check = Callable[..., Finished]


@pytest.fixture
def taken() -> datetime:
    """When the checkpoint was written: an hour ago."""
    return ago(hours=1).replace(microsecond=0)


@pytest.fixture
def check(stigmem: Run, tmp_path: Path, taken: datetime) -> Check:
    """Check the database against a checkpoint with these entries."""

    def check(*entries: dict[str, Any]) -> Finished:
        given = checkpoint(*entries, checkpoint_timestamp=timestamp(taken))
        (tmp_path / "c.json").write_text(given)
        return stigmem("cursor-check", "--db", "stigmem.db", "c.json")

    return check


def test_checkpoint_against_a_database(database: Database, check: Check, taken: datetime) -> None:
    """With both, the table shows what import would do and how far the database is ahead."""
    database.add_facts("node-b", 2)
    database.set_cursor(database.add_peer("node-b"), position(taken + timedelta(minutes=5)))
    database.add_peer("node-c")
    database.add_facts("node-c", 2)
    database.add_peer("node-d")
    finished = check(
        entry("node-b", position(taken)),
        entry("node-c", position(taken), **received(2, "node-c-1")),
        entry("node-d", position(taken), **received(7, "node-d-6")),
        entry("node-e", None),
    )
    time = timestamp(taken)
    assert finished.stdout == (
        f"c.json: valid, 3 position(s), taken {time} (60 min ago)\n"
        "PEER              DIRECTION  CHECKPOINT            DATABASE     IMPORT\n"
        f"stigmem://node-b  inbound    {time}  5 min ahead  already set\n"
        f"stigmem://node-c  inbound    {time}  none         restored\n"
        f"stigmem://node-d  inbound    {time}  none         facts missing\n"
        "stigmem://node-e  inbound    none                  none         no position\n"
    )
    assert finished.stderr == (
        "error: peer stigmem://node-c (inbound): 2 fact(s) received, but no position; "
        "stop the node and run `stigmem federation cursor-import --db stigmem.db FILE`, "
        "or without a checkpoint `stigmem federation cursor-catchup --db stigmem.db`\n"
        "error: peer stigmem://node-d (inbound): import would withhold it, "
        "7 fact(s) are missing; `stigmem federation cursor-catchup --db stigmem.db` fetches them\n"
    )
    assert finished.returncode == 1


@pytest.mark.parametrize("peers_are_there", [False, True])
def test_an_empty_backup(
    database: Database, check: Check, taken: datetime, peers_are_there: bool
) -> None:
    """A backup without facts and positions is not fit, with or without its peers."""
    if peers_are_there:
        database.add_peer("node-b")
    finished = check(entry("node-b", position(taken), **received(5, "node-b-4")))
    time = timestamp(taken)
    outcome = "facts missing" if peers_are_there else "peer not found"
    assert finished.stdout == (
        f"c.json: valid, 1 position(s), taken {time} (60 min ago)\n"
        "PEER              DIRECTION  CHECKPOINT            DATABASE  IMPORT\n"
        f"stigmem://node-b  inbound    {time}  none      {outcome}\n"
    )
    assert finished.stderr == "error: peer stigmem://node-b (inbound): " + (
        "import would withhold it, 5 fact(s) are missing; "
        "`stigmem federation cursor-catchup --db stigmem.db` fetches them\n"
        if peers_are_there
        else "it is in c.json, but not in the peers table; have it register with this node again\n"
    )
    assert finished.returncode == 1


def test_a_lost_position_that_the_checkpoint_does_not_name(
    node: Database, check: Check, taken: datetime
) -> None:
    """A position lost for a peer that no checkpoint names makes the database unfit all the same."""
    node.set_cursor("id-of-node-c", position(taken))
    node.set_cursor("id-of-node-b", None)
    finished = check(entry("node-c", position(taken)))
    time = timestamp(taken)
    assert finished.stdout == (
        f"c.json: valid, 1 position(s), taken {time} (60 min ago)\n"
        "PEER              DIRECTION  CHECKPOINT            DATABASE  IMPORT\n"
        f"stigmem://node-c  inbound    {time}  same      already set\n"
    )
    assert finished.stderr == (
        "error: peer stigmem://node-b (inbound): 3 fact(s) received, but no position; "
        "stop the node and run `stigmem federation cursor-import --db stigmem.db FILE`, "
        "or without a checkpoint `stigmem federation cursor-catchup --db stigmem.db`\n"
    )
    assert finished.returncode == 1


def test_positions_whose_facts_are_gone(node: Database, check: Check, taken: datetime) -> None:
    """A position that is set on facts that are gone makes the database unfit."""
    node.set_cursor("id-of-node-b", position(taken))
    finished = check(entry("node-b", position(taken), **received(5, "node-b-4")))
    time = timestamp(taken)
    assert finished.stdout == (
        f"c.json: valid, 1 position(s), taken {time} (60 min ago)\n"
        "PEER              DIRECTION  CHECKPOINT            DATABASE  IMPORT\n"
        f"stigmem://node-b  inbound    {time}  same      already set\n"
    )
    assert finished.stderr == (
        "error: peer stigmem://node-b (inbound): the position is set, but 2 fact(s) up to it are "
        "missing; stop the node and run `stigmem federation cursor-import --db stigmem.db --force "
        "c.json`, then `stigmem federation cursor-catchup --db stigmem.db`; if every peer is "
        "caught up and this is still reported, accept the loss: `stigmem federation cursor-export "
        "--db stigmem.db --force --out c.json`\n"
    )
    assert finished.returncode == 1


def test_foreign_checkpoint(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """Another node's checkpoint is unfit for this database."""
    (tmp_path / "c.json").write_text(checkpoint(entry("node-b"), node_id="stigmem://node-x"))
    finished = stigmem("cursor-check", "--db", "stigmem.db", "c.json")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: c.json is the checkpoint of node stigmem://node-x, and this database is that of "
        "stigmem://node-a\n"
    )
