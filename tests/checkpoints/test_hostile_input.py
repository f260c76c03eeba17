"""Whatever is in a checkpoint file: one clear refusal, nothing changed, never a traceback.

``pytest tests/checkpoints/test_hostile_input.py -k fuzz --hypothesis-profile=thorough`` tries more.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stigmem_cursor_plugin.checkpoints import reading
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.snapshot import Received
from stigmem_cursor_plugin.errors import CheckpointError
from tests.builders import WITH_DIGEST, WITHOUT_DIGEST, checkpoint, entry
from tests.database import Database
from tests.running import Run
from tests.strategies import DOCUMENT, FIELDS, JSON, mutated

HOSTILE = {
    "sql": "'); DROP TABLE peers; --",
    "shell": "$(touch pwned)`touch pwned`; touch pwned #",
    "escape": "\x1b]0;title\x07\x1b[31m\x9b2J",
    "overrides": "\u202e\u2066\u200f",
    "controls": "".join(map(chr, [*range(1, 32), *range(127, 160)])),
    "percent": "%s%n{0.__class__}",
    "path": "../../../../etc/passwd",
    "astral": "\U0001f600\U0010ffff",
    "long": "x" * 1_000_000,
}
WRONG: dict[str, Any] = {
    "null": None,
    "true": True,
    "zero": 0,
    "huge": 10**400,
    "fraction": 1e308,
    "empty": "",
    "list": [[[]]],
    "object": {"": {}},
}


def read(data: bytes, path: Path) -> Checkpoint:
    """Read a checkpoint file with this content."""
    path.write_bytes(data)
    return reading.read_checkpoint(str(path))


def read_or_refuse(data: bytes, path: Path) -> Checkpoint | Sequence[str]:
    """Return the checkpoint, or what the refusal says."""
    try:
        return read(data, path)
    except CheckpointError as error:
        return error.messages


def test_truncated_at_every_byte(tmp_path: Path) -> None:
    """A checkpoint cut off anywhere is refused, unless only the last newline is gone."""
    for data in (WITH_DIGEST, WITHOUT_DIGEST):
        for length in range(len(data) - 1):
            with pytest.raises(CheckpointError):
                read(data[:length], tmp_path / "c.json")
        read(data[:-1], tmp_path / "c.json")


@pytest.mark.parametrize("bit", range(8))
def test_every_byte_flipped(tmp_path: Path, bit: int) -> None:
    """With a digest, a flipped bit is refused unless it means the same; without, it may pass."""
    original = read(WITH_DIGEST, tmp_path / "c.json")
    for data in (WITH_DIGEST, WITHOUT_DIGEST):
        for place in range(len(data)):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            found = read_or_refuse(bytes(flipped), tmp_path / "c.json")
            # White space means nothing, and a damaged "digest" key is an unknown field.
            if isinstance(found, Checkpoint) and data is WITH_DIGEST and b'"digest"' in flipped:
                assert found == original


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    "field",
    [
        pytest.param(field, marks=() if field == "peer_node_id" else pytest.mark.slow)
        for field in FIELDS
    ],
)
def test_hostile_text(
    database: Database, stigmem: Run, tmp_path: Path, field: str, text: str
) -> None:
    """Text that would act on SQL, a shell or a terminal is refused or made harmless."""
    database.add_peer("node-b")
    before = database.contents()
    (tmp_path / "c.json").write_text(checkpoint(entry("node-b", **{field: text})))
    finished = stigmem("cursor-import", "c.json", "--dry-run")
    assert finished.returncode in (0, 1, 3)
    assert "Traceback" not in finished.stderr
    assert not any(
        ord(char) < 32 or 127 <= ord(char) < 160 for char in finished.stderr if char != "\n"
    )
    assert not set("\u202e\u2066\u200f") & set(finished.stderr)
    assert max(map(len, finished.stderr.splitlines())) < 2_000
    assert database.contents() == before
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(
    "field",
    [*FIELDS, "received", "checkpoint_timestamp", "db_path", "cursors", "node_id", "digest"],
)
def test_wrong_type(tmp_path: Path, field: str, value: Any) -> None:
    """A value of a type that the schema does not allow for a field is refused, by that field."""
    document = json.loads(checkpoint(entry("node-b")))
    target = document["cursors"][0] if field in (*FIELDS, "received") else document
    target[field] = value
    allowed_null = {"peer_url", "peer_status", "cursor", "updated_at", "db_path"}
    allowed_empty = {"peer_url", "peer_status", "db_path"}
    if (value is None and field in allowed_null) or (value == "" and field in allowed_empty):
        read(json.dumps(document).encode(), tmp_path / "c.json")
        return
    with pytest.raises(CheckpointError) as caught:
        read(json.dumps(document).encode(), tmp_path / "c.json")
    assert all(field in message for message in caught.value.messages)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\0" * 50_000_000, "not JSON: Expecting value"),
        (b" " * 50_000_000, "not JSON: Expecting value"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b"\xff\xfe{\0}\0", "not UTF-8 text (byte 0)"),
        (b"-Infinity", "-Infinity is not a JSON value"),
        (b'{"cursors": [], "cursors": [], "x": 1}', "occurs twice"),
        (b'{"' + b"k" * 100_000 + b'": 1, "' + b"k" * 100_000 + b'": 2}', "occurs twice"),
        (b'"\\ud800"', "half a surrogate pair"),
        (b'{"\\udfff": 1}', "half a surrogate pair"),
    ],
    ids=["zeros", "blanks", "deep", "utf-16", "infinity", "twice", "long", "lone", "lone key"],
)
def test_one_short_line(stigmem: Run, tmp_path: Path, data: bytes, complaint: str) -> None:
    """Fifty megabytes of nothing, or a twisted few bytes: one short line, exit status 1."""
    (tmp_path / "c.json").write_bytes(data)
    finished = stigmem("cursor-import", "c.json")
    assert finished.returncode == 1
    assert len(finished.stderr.splitlines()) == 1
    assert finished.stderr.startswith("error: c.json: ")
    assert complaint in finished.stderr
    assert len(finished.stderr) < 500


def test_every_depth(tmp_path: Path) -> None:
    """However deep a field is nested, the file is read or refused in words."""
    outcomes = set()
    # How deep a parser goes differs from one Python to the next.
    for depth in (*range(10, 1500, 7), 10_000, 100_000):
        deep = b'{"x": ' + b"[" * depth + b"]" * depth + b", " + WITH_DIGEST.lstrip()[1:]
        found = read_or_refuse(deep, tmp_path / "c.json")
        assert not isinstance(found, Checkpoint)  # the digest is of the file without x
        assert len(found) == 1
        outcomes.add(found[0].rpartition("c.json: ")[2][:15])
    assert outcomes == {"digest does not", "nested too deep"}


@given(
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | DOCUMENT.map(lambda value: json.dumps(value).encode())
    | st.builds(mutated, st.sampled_from([WITH_DIGEST, WITHOUT_DIGEST]), st.integers(0, 2**32))
)
def test_fuzz(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Any bytes are either a checkpoint of the right types or a refusal in words."""
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    found = read_or_refuse(data, path)
    if not isinstance(found, Checkpoint):
        assert found
        return
    assert found.time.tzinfo is not None
    for item in found.entries:
        assert isinstance(item.peer_id, str)
        assert item.cursor is None or item.cursor
        assert item.received is None or isinstance(item.received, Received)
