"""jsonschema-rs, of the extra ``fast``, agrees with jsonschema: behaviour does not depend on it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given

from stigmem_cursor_plugin.checkpoints import schema
from stigmem_cursor_plugin.checkpoints.document import to_json
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from tests.builders import INVALID, REFUSED, VALID, WITH_DIGEST, WITHOUT_DIGEST
from tests.strategies import CHECKPOINT, DOCUMENT, mutated

SLOW = jsonschema.Draft202012Validator(schema.load())
FAST = jsonschema_rs.validator_for(schema.load())


def agree(document: Any) -> None:
    """Check that both give the same verdict.

    Oldest releases of jsonschema-rs raise on whole numbers of over 64 bits: those documents are
    left to jsonschema.
    """
    try:
        verdict = FAST.is_valid(document)
    except (ValueError, TypeError, OverflowError):
        assert not schema._surely_valid(document)
        return
    assert verdict == SLOW.is_valid(document)


def document_of(data: bytes) -> Any:
    """Parse a file; raises ValueError or RecursionError where no validator would see it."""
    document = json.loads(data)
    json.dumps(document, ensure_ascii=False).encode()
    return document


def is_json(path: Path) -> bool:
    """Tell whether a validator ever sees a file: what is not JSON, or not text, is refused."""
    try:
        document_of(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return True


JUDGED = [path for path in VALID + INVALID + REFUSED if is_json(path)]


@pytest.mark.parametrize("path", JUDGED, ids=lambda path: path.stem)
def test_agree_on_every_file(path: Path) -> None:
    """They agree on every file of the suite that is JSON at all."""
    agree(document_of(path.read_bytes()))


def test_most_files_are_judged() -> None:
    """Of the files of the suite only some that are refused are not JSON."""
    assert set(VALID + INVALID) <= set(JUDGED)


@given(DOCUMENT)
def test_agree_on_any_document(document: Any) -> None:
    """They agree on documents of the right shape with any values."""
    agree(document)


@given(CHECKPOINT)
def test_agree_on_any_checkpoint(any_checkpoint: Checkpoint) -> None:
    """They agree on whatever export can write."""
    agree(json.loads(to_json(any_checkpoint)))


@pytest.mark.parametrize("data", [WITH_DIGEST, WITHOUT_DIGEST], ids=["digest", "none"])
def test_agree_on_damaged_files(data: bytes) -> None:
    """They agree on two thousand damaged checkpoints, as far as those are JSON."""
    judged = 0
    for seed in range(2000):
        try:
            document = document_of(mutated(data, seed))
        except (ValueError, RecursionError):
            continue
        agree(document)
        judged += 1
    assert judged > 50


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
@pytest.mark.parametrize("changed", [("peer_id",), ("peer_node_id",), ("peer_id", "peer_node_id")])
def test_second_entry(direction: str, changed: Sequence[str]) -> None:
    """A peer that is there twice in one direction is refused, one in two directions is not."""
    document = json.loads(WITH_DIGEST)
    (entry,) = document["cursors"]
    second = {**entry, **dict.fromkeys(changed, "other"), "direction": direction}
    document["cursors"] = [entry, second]
    repeated = direction == entry["direction"] and len(changed) == 1
    assert bool(schema.violations(document)) == repeated


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the compiled validator every file gets the same violations."""
    documents = [json.loads(path.read_bytes()) for path in VALID + INVALID]
    fast = [schema.violations(document) for document in documents]
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    schema._quick_judge.cache_clear()
    assert schema._quick_judge() is None
    slow = [schema.violations(document) for document in documents]
    schema._quick_judge.cache_clear()
    assert slow == fast
