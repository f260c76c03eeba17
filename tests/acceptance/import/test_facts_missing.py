"""Positions whose facts the database no longer holds are withheld."""

from tests.builders import DONE, checkpoint, entry, lines, received
from tests.database import Database
from tests.running import Run


def test_facts_missing(database: Database, stigmem: Run) -> None:
    """A position whose facts are lost is withheld, with what the re-pull means: exit 3."""
    database.add_peer("node-b")
    given = checkpoint(entry("node-b", **received(512, "node-b-511")))
    finished = stigmem("cursor-import", "-", given=given)
    assert finished.returncode == 3
    assert finished.stderr == lines(
        "warning: peer stigmem://node-b (inbound): withheld, 512 of 512 fact(s) are missing from "
        "the database",
        "info: next, run `stigmem federation cursor-catchup` (about 1 s); then start the node",
        "info: or run the node with STIGMEM_FEDERATION_HLC_MAX_PAST_SKEW_S=0 (about 3 min, a "
        "page every 30 s)",
        "info: or give up what is missing: import again with --accept-loss",
        DONE.format(0, 0, 0) + ", 1 withheld (facts missing)",
    )
    assert database.cursors() == {}


def test_set_and_false(node: Database, stigmem: Run) -> None:
    """A position that is set on missing facts stays, exit 3; what is advised empties it."""
    given = checkpoint(entry("node-b", **received(5, "node-b-4")))
    finished = stigmem("cursor-import", "-", given=given)
    assert finished.returncode == 3
    assert finished.stderr == lines(
        "warning: peer stigmem://node-b (inbound): already set, but 2 of 5 fact(s) are missing "
        "from the database; --force empties it",
        "info: next, run this import again with --force, then `stigmem federation cursor-catchup` "
        "(about 1 s); then start the node",
        "info: or run the node with STIGMEM_FEDERATION_HLC_MAX_PAST_SKEW_S=0 (about 30 s, a "
        "page every 30 s)",
        "info: or give up what is missing: import again with --accept-loss",
        DONE.format(0, 0, 1),
    )
    assert stigmem("cursor-import", "--force", "-", given=given).returncode == 3
    assert node.cursors()["id-of-node-b", "inbound"] is None


def test_accept_loss(database: Database, stigmem: Run) -> None:
    """``--accept-loss`` restores the position and says what is given up."""
    database.add_peer("node-b")
    given = checkpoint(entry("node-b", **received(512, "node-b-511")))
    finished = stigmem("cursor-import", "-", "--accept-loss", given=given)
    assert finished.returncode == 0
    assert finished.stderr == lines(
        "warning: peer stigmem://node-b (inbound): restored, though 512 of 512 fact(s) are "
        "missing from the database; the node never fetches them",
        DONE.format(1, 0, 0),
    )


def test_uncounted_facts(database: Database, stigmem: Run) -> None:
    """A checkpoint of the host restores as documented, with a warning where no fact is held."""
    database.add_peer("node-b")
    finished = stigmem("cursor-import", "-", given=checkpoint(entry("node-b")))
    assert finished.returncode == 0
    assert finished.stderr == lines(
        "warning: peer stigmem://node-b (inbound): the checkpoint counts no facts, and the "
        "database holds none from this peer; if it ever held some, the node never fetches them: "
        "stop the node, delete the peer's inbound row in replication_cursors, then run "
        "cursor-catchup",
        DONE.format(1, 0, 0),
    )
