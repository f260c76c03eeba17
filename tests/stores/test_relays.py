"""What shows that a fact may have come by another peer than the one that it is from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stigmem_cursor_plugin.core.snapshot import NOTHING_RECEIVED, Questions, Received, Snapshot
from stigmem_cursor_plugin.host.settings import read_settings
from stigmem_cursor_plugin.stores import open_store
from tests.nodes import STORES, StoredNode, Stores

Read = Callable[..., Snapshot]


@pytest.fixture(params=STORES)
def stored(request: pytest.FixtureRequest, stores: Stores, tmp_path: Path) -> StoredNode:
    """A node with the peer node-b and three facts of it, on each kind of database."""
    made = stores.make(request.param, tmp_path)
    made.database.add_peer("node-b")
    made.database.add_facts("node-b", 3)
    return made


@pytest.fixture
def read(stored: StoredNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read the node's database with the node's settings."""
    monkeypatch.chdir(tmp_path)
    for name, value in stored.environment.items():
        monkeypatch.setenv(name, value)

    def read(questions: Questions | None = None) -> Snapshot:
        with open_store(read_settings(None)).transaction(read_only=True) as transaction:
            return transaction.read(questions or Questions())

    return read


def test_no_relay(stored: StoredNode, read: Read) -> None:
    """Own facts of a peer show none, and nothing more is counted, unless a checkpoint asks."""
    assert not read().may_hold_indirect_facts
    assert read().received_at_all == NOTHING_RECEIVED
    asked = read(Questions(whole_table=True))
    assert (asked.may_hold_indirect_facts, asked.received_at_all.facts) == (False, 6)


@pytest.mark.parametrize("removed", [True, False])
def test_facts_of_a_former_peer(stored: StoredNode, read: Read, removed: bool) -> None:
    """Facts of a peer that was removed or revoked show no relay, and have all facts counted."""
    stored.database.add_facts("former", 2, first=7)
    if not removed:
        stored.database.add_peer("former", status="revoked")
    found = read()
    assert not found.may_hold_indirect_facts
    assert found.received_at_all == Received(10, "receipt-of-former-8", any_sender=True)


def test_own_facts_are_not_the_last_received(stored: StoredNode, read: Read) -> None:
    """A relay may hand a node's own fact back, so that one shows nothing of the received ones."""
    stored.database.run(
        "INSERT INTO facts (id, entity, relation, value_type, value_v, source, timestamp,"
        " confidence, scope, hlc) VALUES"
        " ('own', 'e', 'r', 'string', 'v', 's', '2026', 1, 'public', '1725349500009.0')"
    )
    found = read(Questions(whole_table=True))
    assert found.received_at_all == Received(7, "receipt-of-node-b-2", any_sender=True)


@pytest.mark.parametrize("status", ["active", "revoked"])
def test_a_peer_that_is_trusted_to_relay(stored: StoredNode, read: Read, status: str) -> None:
    """Any peer row that is trusted to relay shows one, and every fact of the table is counted."""
    stored.database.add_peer("node-c", status=status)
    assert not read().may_hold_indirect_facts
    stored.database.run("UPDATE peers SET relay_trusted = 1 WHERE node_id = 'stigmem://node-c'")
    found = read()
    assert found.may_hold_indirect_facts
    assert [peer.relay_trusted for peer in found.peers] == [False, True]
    assert found.received_at_all == Received(6, "receipt-of-node-b-2", any_sender=True)


@pytest.mark.parametrize("registered", [True, False])
def test_a_relay_that_is_none_any_more(stored: StoredNode, read: Read, registered: bool) -> None:
    """Facts that a peer handed on show a relay, though it is trusted no more, or removed."""
    if registered:
        stored.database.add_peer("former-relay")
    stored.database.add_facts("former-relay", 1, origin="node-b", first=9)
    found = read()
    assert found.may_hold_indirect_facts
    assert found.received_at_all == Received(8, "receipt-of-former-relay-9", any_sender=True)


@pytest.mark.parametrize("questions", [Questions(pushes=True), Questions(relays=True)])
def test_pushed_and_relayed_facts(read: Read, questions: Questions) -> None:
    """On a node that takes pushed or relayed facts, every fact of the table is counted as well."""
    found = read(questions)
    assert found.may_hold_indirect_facts
    assert found.received_at_all == Received(6, "receipt-of-node-b-2", any_sender=True)


def test_an_empty_table_is_counted(stores: Stores, tmp_path: Path) -> None:
    """Where there is no fact at all, none are counted, of any sender."""
    made = stores.make("sqlite", tmp_path)
    made.database.add_peer("node-b")
    made.database.run("UPDATE peers SET relay_trusted = 1")
    settings = read_settings(str(made.database.path))
    with open_store(settings).transaction(read_only=True) as transaction:
        assert transaction.read().received_at_all == Received(0, None, any_sender=True)


@pytest.mark.parametrize("column", ["peers.relay_trusted", "facts.origin_node_id"])
def test_releases_without_relays(stores: Stores, tmp_path: Path, column: str) -> None:
    """A database of a release that lacks one of the columns has no relays."""
    made = stores.make("sqlite", tmp_path)
    made.database.add_facts("removed", 1, origin="node-b")
    table, name = column.split(".")
    made.database.run(f"ALTER TABLE {table} DROP COLUMN {name}")
    settings = read_settings(str(made.database.path))
    with open_store(settings).transaction(read_only=True) as transaction:
        assert transaction.read().may_hold_indirect_facts is (column == "peers.relay_trusted")
