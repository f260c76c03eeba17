"""What holds for every checkpoint: its text, its way to JSON and back, and its digest."""

import hashlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stigmem_cursor_plugin.checkpoints import schema
from stigmem_cursor_plugin.checkpoints.document import digest_of, to_json
from stigmem_cursor_plugin.core import checkpoint
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
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
    assert checkpoint.from_document(document) == any_checkpoint
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
