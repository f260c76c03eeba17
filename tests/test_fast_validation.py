"""The compiled validator and jsonschema agree, so that behaviour does not depend on the extra."""

import json
import sys
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings

from stigmem_cursor_plugin import checkpoint, schema
from tests.test_checkpoint import CHECKPOINT
from tests.test_hostile_input import DOCUMENT, WITH_DIGEST, WITHOUT_DIGEST, mutated
from tests.test_schema import INVALID, REFUSED, VALID

SLOW = jsonschema.Draft202012Validator(schema.load())
FAST = jsonschema_rs.validator_for(schema.load())


def agree(document: Any) -> None:
    """Check that both give the same verdict."""
    assert FAST.is_valid(document) == SLOW.is_valid(document)


@pytest.mark.parametrize("path", VALID + INVALID + REFUSED, ids=lambda path: path.stem)
def test_agree_on_every_file(path: Any) -> None:
    """They agree on every file of the suite that is JSON at all."""
    try:
        document = json.loads(path.read_bytes())
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        pytest.skip("not JSON, or not text: refused before any validator sees it")
    agree(document)


@settings(max_examples=500)
@given(DOCUMENT)
def test_agree_on_any_document(document: Any) -> None:
    """They agree on documents of the right shape with any values."""
    agree(document)


@given(CHECKPOINT)
def test_agree_on_any_checkpoint(taken: Any) -> None:
    """They agree on whatever export can write."""
    agree(json.loads(checkpoint.to_json(taken)))


@pytest.mark.parametrize("data", [WITH_DIGEST, WITHOUT_DIGEST], ids=["digest", "none"])
def test_agree_on_damaged_files(data: bytes) -> None:
    """They agree on two thousand damaged checkpoints, as far as those are JSON."""
    judged = 0
    for seed in range(2000):
        try:
            document = json.loads(mutated(data, seed))
            json.dumps(document, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            continue
        agree(document)
        judged += 1
    assert judged > 50


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the compiled validator every file gets the same violations."""
    documents = [json.loads(path.read_bytes()) for path in VALID + INVALID]
    fast = [schema.violations(document) for document in documents]
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    assert [schema.violations(document) for document in documents] == fast
