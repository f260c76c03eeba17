"""Any checkpoint, any document of the right shape, and any damage to a file, for hypothesis."""

import random
from datetime import datetime

from hypothesis import strategies as st

from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.snapshot import Received

FIELDS = ("peer_id", "peer_node_id", "peer_url", "peer_status", "direction", "cursor", "updated_at")
TEXT = st.text(st.characters(codec="utf-8"), min_size=1)
CURSOR = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1)
MOMENT = st.datetimes(min_value=datetime(1001, 1, 1)).map(lambda moment: f"{moment.isoformat()}Z")
ENTRY = st.builds(
    Entry,
    peer_id=TEXT,
    peer_node_id=TEXT,
    peer_url=st.none() | TEXT,
    peer_status=st.none() | TEXT,
    direction=st.sampled_from(["inbound", "outbound", "tombstone_inbound"]),
    cursor=st.none() | CURSOR,
    updated_at=st.none() | MOMENT,
    received=st.none()
    | st.builds(Received, st.integers(0, 2**53 - 1), st.none() | TEXT, st.booleans()),
)
CHECKPOINT = st.builds(
    Checkpoint,
    timestamp=MOMENT,
    db_path=st.none() | TEXT,
    entries=st.lists(
        ENTRY, max_size=4, unique_by=(lambda entry: entry.peer_id, lambda entry: entry.peer_node_id)
    ).map(tuple),
    node_id=st.none() | TEXT,
    generator=st.none() | TEXT,
    forced=st.booleans(),
    after_loss=st.booleans(),
    undo=st.booleans(),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
JSON_ENTRY = st.dictionaries(
    st.sampled_from([*FIELDS, "received", "other"]),
    JSON | st.sampled_from(["inbound", "1.0", "2026-05-02T18:25:00Z"]),
)
DOCUMENT = st.dictionaries(
    st.sampled_from(["checkpoint_timestamp", "db_path", "cursors", "node_id", "digest", "undo"]),
    JSON | st.lists(JSON_ENTRY, max_size=3) | st.just("2026-05-02T18:30:00Z"),
)


def mutated(data: bytes, seed: int) -> bytes:
    """Return a valid checkpoint with a few pieces cut, doubled, swapped or overwritten."""
    source = random.Random(seed)  # noqa: S311
    changed = bytearray(data)
    for _ in range(source.randint(1, 6)):
        start = source.randrange(len(changed))
        end = min(len(changed), start + source.randint(1, 12))
        piece = bytes(changed[start:end])
        kind = source.randrange(4)
        if kind == 0:
            del changed[start:end]
        elif kind == 1:
            changed[start:start] = piece * source.randint(1, 3)
        elif kind == 2:
            changed[start:end] = source.randbytes(end - start)
        else:
            changed[start:end] = source.choice(
                [b"null", b"[]", b"{}", b'""', b"1e999", b"\\u0000", b"\\ud800", b",", b'"', b"NaN"]
            )
        changed = changed or bytearray(b" ")
    return bytes(changed)
