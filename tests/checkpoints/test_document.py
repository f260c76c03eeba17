"""What holds for every checkpoint: its text, its way to JSON and back, and its digest."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmem_cursor_plugin.checkpoints import schema
from stigmem_cursor_plugin.checkpoints.document import (
    digest_of,
    from_document,
    to_document,
    to_json,
)
from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.snapshot import Received
from tests.snapshots import NODE_A, NODE_B, checkpoint_of, entry
from tests.strategies import CHECKPOINT


@given(CHECKPOINT)
def test_text_is_plain_indented_json(any_checkpoint: Checkpoint) -> None:
    """The text is that of the standard library's encoder with indent 2, and pure ASCII."""
    text = to_json(any_checkpoint)
    assert text == json.dumps(json.loads(text), indent=2) + "\n"
    assert text.isascii()


@given(CHECKPOINT)
def test_there_and_back(any_checkpoint: Checkpoint) -> None:
    """A checkpoint read back is the one written, is valid, and matches its digest."""
    document = json.loads(to_json(any_checkpoint))
    assert from_document(document) == any_checkpoint
    assert schema.violations(document) == []
    assert digest_of(document) == document["digest"]


@given(CHECKPOINT)
def test_digest_is_of_canonical_json(any_checkpoint: Checkpoint) -> None:
    """The digest is SHA-256 over sorted, compact UTF-8 JSON, whatever the order of the fields."""
    document = json.loads(to_json(any_checkpoint))
    claimed = document.pop("digest")
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert claimed == f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
    assert digest_of(dict(reversed(document.items()))) == claimed


def test_digest_of_unknown_fields() -> None:
    """Fields of a newer version count, whatever their names and what is in them."""
    document = {"added": {"cursors": []}, "cursors": [{"a": [1]}, {}], "z": '"cursors":[]'}
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert digest_of(document) == (f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}")


@given(CHECKPOINT, st.data())
def test_any_change_breaks_the_digest(any_checkpoint: Checkpoint, data: st.DataObject) -> None:
    """Another value in any field does not match the digest."""
    document = json.loads(to_json(any_checkpoint))
    field = data.draw(st.sampled_from(sorted(set(document) - {"digest"})))
    changed: dict[str, Any] = {**document, field: [{"changed": True}]}
    assert digest_of(changed) != document["digest"]


def test_documented_fields_come_first() -> None:
    """The fields are in the runbook's order, and what is added comes after them."""
    any_checkpoint = Checkpoint("2026-05-02T18:30:00Z", "stigmem.db", (), "stigmem://node-a", "g")
    assert list(json.loads(to_json(any_checkpoint))) == [
        *("checkpoint_timestamp", "db_path", "cursors"),
        *("format_version", "node_id", "generator", "digest"),
    ]


DOCUMENT = {
    "checkpoint_timestamp": "2026-05-02T18:30:00Z",
    "db_path": "s.db",
    "cursors": [
        {
            "peer_id": "b",
            "peer_node_id": NODE_B,
            "peer_url": "https://b",
            "peer_status": "active",
            "direction": "inbound",
            "cursor": "1.0",
            "updated_at": "2026-05-02T18:25:00Z",
            "received": {"facts": 5, "last_fact_id": "f5"},
        }
    ],
    "format_version": 1,
}
WRITTEN = Checkpoint(
    "2026-05-02T18:30:00Z",
    "s.db",
    (
        Entry(
            *("b", NODE_B, "https://b", "active", "inbound", "1.0", "2026-05-02T18:25:00Z"),
            Received(5, "f5"),
        ),
    ),
)


def test_document() -> None:
    """A document has the documented fields in their order, and of the optional ones those set."""
    written = to_document(WRITTEN)
    assert written == DOCUMENT
    assert list(written) == list(DOCUMENT)
    assert from_document(DOCUMENT) == WRITTEN
    assert from_document(DOCUMENT, "c.json") == replace(WRITTEN, name="c.json")


@pytest.mark.parametrize(
    "fields",
    [
        {"node_id": NODE_A},
        {"generator": "x"},
        {"forced": True},
        {"after_loss": True},
        {"undo": True},
    ],
)
def test_optional_fields(fields: dict[str, Any]) -> None:
    """Each optional field is written where it is set, and read again."""
    marked = replace(WRITTEN, **fields)
    assert to_document(marked) == DOCUMENT | fields
    assert from_document(DOCUMENT | fields) == marked


@pytest.mark.parametrize("received", [None, Received(9, "x", any_sender=True), Received(0, None)])
def test_counts_in_a_document(received: Received | None) -> None:
    """What was received is written where it was counted, and read again."""
    counted = checkpoint_of(entry(received=received))
    (item,) = to_document(counted)["cursors"]
    assert ("received" in item) is (received is not None)
    assert item.get("received", {}).get("any_sender", False) is bool(
        received and received.any_sender
    )
    assert list(from_document(to_document(counted)).entries) == [entry(received=received)]


def test_fields_of_the_hosts_own_export() -> None:
    """A document may leave out all that an import can do without."""
    item = {"peer_id": "b", "peer_node_id": NODE_B, "direction": "inbound", "cursor": None}
    document = {"checkpoint_timestamp": "2026-05-02T12:00:00Z", "cursors": [item]}
    expected = replace(checkpoint_of(), name="", entries=(entry(None),))
    assert from_document(document) == expected
