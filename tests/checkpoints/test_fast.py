"""The extra ``fast`` agrees with what it replaces, so that behaviour does not depend on it."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings

from stigmem_cursor_plugin.checkpoints import document as encoding
from stigmem_cursor_plugin.checkpoints import fast, files, schema
from stigmem_cursor_plugin.core import checkpoint
from stigmem_cursor_plugin.core.snapshot import Received
from stigmem_cursor_plugin.errors import CheckpointError
from tests.builders import (
    INVALID,
    REFUSED,
    VALID,
    WITH_DIGEST,
    WITHOUT_DIGEST,
    text_of,
)
from tests.strategies import CHECKPOINT, DOCUMENT, mutated

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
    agree(json.loads(text_of(taken)))


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


def quickly(data: bytes) -> checkpoint.Checkpoint | None:
    """Return the checkpoint in a file as msgspec reads it, with entries that can be compared."""
    found = fast.read(data)
    return found and replace(found, entries=tuple(map(_entry, found.entries)))


def _entry(found: Any) -> checkpoint.Entry:
    fields = {name: getattr(found, name) for name in checkpoint.Entry._fields}
    counted = fields.pop("received")
    received = counted and Received(counted.facts, counted.last_fact_id)
    return checkpoint.Entry(**fields, received=received)


def slowly(data: bytes) -> checkpoint.Checkpoint | None:
    """Return the checkpoint in a file as the standard library and jsonschema read it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "_codec", lambda: None)
        patch.setattr(files, "_read", lambda _name, _title: data)
        try:
            return files.read_checkpoint("c.json")
        except CheckpointError:
            return None


@given(CHECKPOINT)
def test_same_checkpoint(taken: checkpoint.Checkpoint) -> None:
    """Msgspec reads the same checkpoint as the standard library, or leaves it to that."""
    data = text_of(taken).encode()
    quick = quickly(data)
    assert quick is None or quick == slowly(data)


@pytest.mark.parametrize("undo", [False, True])
def test_reads_what_export_writes(undo: bool) -> None:
    """A checkpoint as export writes it, or an import with --force, is read with msgspec."""
    taken = checkpoint.from_document(json.loads(WITH_DIGEST))
    data = text_of(replace(taken, db_path="a", node_id="b", generator="c", undo=undo)).encode()
    quick = quickly(data)
    assert quick is not None
    assert quick == slowly(data)


@pytest.mark.parametrize("path", VALID + INVALID + REFUSED, ids=lambda path: path.stem)
def test_same_verdict_on_every_file(path: Any) -> None:
    """Msgspec accepts no file of the suite that is refused without it."""
    data = path.read_bytes()
    quick = quickly(data)
    assert quick is None or quick == slowly(data)


def test_same_verdict_on_damaged_files() -> None:
    """Of five thousand damaged checkpoints msgspec reads none differently."""
    taken = checkpoint.from_document(json.loads(WITH_DIGEST))
    whole = text_of(replace(taken, db_path="a", node_id="b", generator="c")).encode()
    for seed in range(5000):
        data = mutated(whole, seed)
        quick = quickly(data)
        assert quick is None or quick == slowly(data), data


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"direction"', '"direction": "outbound",\n      "direction"'),
        ('"cursors"', '"node_id": "other",\n  "cursors"'),
        ('"facts": 512', '"facts": 512.0'),
        ('"facts": 512', '"facts": 0512'),
        ('"peer_url": "', '"peer_url": "\\u0068'),
        ('"peer_id"', '"extra": 1,\n      "peer_id"'),
        ("\n}\n", "\n}\n\n{}"),
        ('"format_version": 1', '"format_version": 1.0'),
        ('"generator": "c"', '"generator": "c",\n  "undo": false'),
        ('"format_version": 1', '"format_version": true'),
        ('"received"', '"received": null,\n      "received"'),
    ],
)
def test_altered_where_the_digest_is_blind(before: str, after: str) -> None:
    """A field given twice, a number spelt otherwise and the like get the same verdict."""
    taken = checkpoint.from_document(json.loads(WITH_DIGEST))
    text = text_of(replace(taken, db_path="a", node_id="b", generator="c"))
    data = text.replace(before, after, 1).encode()
    assert data.decode() != text
    quick = quickly(data)
    assert quick is None or quick == slowly(data)


@pytest.mark.parametrize("character", ["\x01", "\x1f", "\x7f", "\x85"])
@pytest.mark.parametrize("field", ["cursor", "peer_url"])
def test_control_characters_spelt_raw(field: str, character: str) -> None:
    """A control character that the digest covers, but is not escaped, gets the same verdict."""
    taken = checkpoint.from_document(json.loads(WITH_DIGEST))
    altered: dict[str, Any] = dict(zip(checkpoint.Entry._fields, taken.entries[0], strict=True))
    entry = checkpoint.Entry(**{**altered, field: f"1{character}"})
    whole = replace(taken, entries=(entry,), db_path="a", node_id="b", generator="c")
    text = text_of(whole)
    data = text.replace(f"\\u{ord(character):04x}", character).encode()
    assert data.decode() != text
    quick = quickly(data)
    assert quick is None or quick == slowly(data)


VALUES: list[Any] = [
    *("", "a", "1.0", "p\x7f", "p\x1f", "p\x85", "p\u2028", '"', "\\", "é", "inbound", "Inbound"),
    *(None, True, False, 0, -1, 1.0, 2**53 - 1, 2**53, [], {}),
    *("2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z", "2026-05-02T18:25:00Z\n"),
    *("2026-05-02t18:25:60z", "2026-05-02T18:25:00+25:00", "0999-05-02T18:25:00Z"),
]


def test_same_verdict_on_any_value() -> None:
    """Of five thousand checkpoints whose digest matches any value, msgspec reads none otherwise."""
    random = Random(1)  # noqa: S311
    accepted = 0
    for _ in range(5000):
        document = {**json.loads(WITH_DIGEST), "db_path": "a", "node_id": "b", "generator": "c"}
        (entry, *_) = document["cursors"]
        altered = random.choice([document, entry, entry, entry["received"]])
        altered[random.choice(sorted(set(altered) - {"cursors", "received"}))] = random.choice(
            VALUES
        )
        document["digest"] = encoding.digest_of(document)
        data = json.dumps(document, indent=2, ensure_ascii=random.random() < 0.5).encode()
        quick = quickly(data)
        assert quick is None or quick == slowly(data), data
        accepted += quick is not None
    assert accepted > 100


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
@pytest.mark.parametrize("changed", [("peer_id",), ("peer_node_id",), ("peer_id", "peer_node_id")])
def test_same_verdict_on_a_second_entry(direction: str, changed: Sequence[str]) -> None:
    """A peer that is there twice in one direction is refused, one in two directions is not."""
    document = {**json.loads(WITH_DIGEST), "db_path": "a", "node_id": "b", "generator": "c"}
    (entry,) = document["cursors"]
    second = {**entry, **dict.fromkeys(changed, "other"), "direction": direction}
    document["cursors"] = [entry, second]
    document["digest"] = encoding.digest_of(document)
    data = json.dumps(document, indent=2).encode()
    repeated = direction == entry["direction"] and len(changed) == 1
    assert (quickly(data) is None) == repeated
    assert quickly(data) == slowly(data)


def test_without_msgspec(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without msgspec it leaves every checkpoint to the standard library."""
    data = text_of(checkpoint.from_document(json.loads(WITH_DIGEST))).encode()
    monkeypatch.setitem(sys.modules, "msgspec", None)
    fast._codec.cache_clear()
    assert fast.read(data) is None
    fast._codec.cache_clear()


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the compiled validator every file gets the same violations."""
    documents = [json.loads(path.read_bytes()) for path in VALID + INVALID]
    fast = [schema.violations(document) for document in documents]
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    assert [schema.violations(document) for document in documents] == fast
