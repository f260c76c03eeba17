"""Checkpoints with msgspec, of the extra ``fast``.

It reads only what :mod:`stigmem_cursor_plugin.encoding` wrote and nobody altered, and writes only
what comes out the same either way. Everything else goes through the standard library and
jsonschema, which also say what is wrong; so behaviour does not depend on the extra.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from operator import attrgetter
from types import GenericAlias
from typing import Annotated, Any, Literal

from stigmem_cursor_plugin import schema
from stigmem_cursor_plugin.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.digests import canonical, digest
from stigmem_cursor_plugin.snapshot import Received

WORTHWHILE = 20_000
"""Entries from which writing with msgspec is quicker, its import (10 ms) included."""
_BATCH = 500
_INDENTED = b'{\n  "cursors": [\n', b"\n  ]\n}"


def read(data: bytes) -> Checkpoint | None:
    """Return the checkpoint in *data*, or None where it is not sure to be as export wrote it.

    Sure is: the fields have values that the schema allows, the digest matches, no field is there
    twice (the text has the quotation marks of its fields and no more), and no entry is.
    """
    if b'"digest"' not in data or b"\\" in data or (codec := _codec()) is None:
        return None
    try:
        document = codec.decode(data)
    except ValueError:
        return None
    entries = document.cursors
    fields = {name: getattr(document, name) for name in _FIELDS if getattr(document, name)}
    quotes: list[int] = [canonical({**fields, "cursors": 0, "digest": ""}).count('"')]
    if (
        document.digest != digest(fields, _counted(codec.batches(entries), quotes))
        or data.count(b'"') != sum(quotes)
        or _repeated(entries)
    ):
        return None
    return Checkpoint(
        timestamp=document.checkpoint_timestamp,
        db_path=document.db_path,
        entries=tuple(map(codec.entry, entries)),
        node_id=document.node_id,
        generator=document.generator,
    )


_FIELDS = ("checkpoint_timestamp", "db_path", "format_version", "generator", "node_id")


def write(entries: Sequence[Entry]) -> tuple[Iterator[bytes], str] | None:
    """Return the canonical JSON of *entries* in pieces, and their text in a checkpoint.

    None where that is not worth while, or where the text would not be ASCII.
    """
    if len(entries) < WORTHWHILE or (codec := _codec()) is None:
        return None
    rows = list(map(codec.row, entries))
    texts = [codec.indented(rows[start : start + _BATCH]) for start in range(0, len(rows), _BATCH)]
    if not all(map(bytes.isascii, texts)):
        return None
    return codec.batches(rows), b",\n".join(texts).decode("ascii")


def _counted(pieces: Iterator[bytes], quotes: list[int]) -> Iterator[bytes]:
    for piece in pieces:
        quotes.append(piece.count(b'"'))
        yield piece


def _repeated(entries: Sequence[Any]) -> bool:
    by_id = set(map(attrgetter("peer_id", "direction"), entries))
    by_node_id = set(map(attrgetter("peer_node_id", "direction"), entries))
    return not len(by_id) == len(by_node_id) == len(entries)


@cache
def _codec() -> Any:
    """Return what decodes and encodes, or None where msgspec is not installed."""
    try:
        import msgspec  # noqa: PLC0415
    except ImportError:
        return None
    return _Codec(msgspec)


class _Codec:
    """Types of msgspec with the patterns of the schema."""

    def __init__(self, msgspec: Any) -> None:
        received, entry, document = _types(msgspec)
        self._received, self._row, self._unset = received, entry, msgspec.UNSET
        self.decode = msgspec.json.Decoder(document).decode
        self._sorted = msgspec.json.Encoder(order="sorted").encode
        self._encode, self._format = msgspec.json.encode, msgspec.json.format

    def entry(self, row: Any) -> Entry:
        counted = row.received
        return Entry(
            row.peer_id,
            row.peer_node_id,
            row.peer_url,
            row.peer_status,
            row.direction,
            row.cursor,
            row.updated_at,
            Received(counted.facts, counted.last_fact_id) if counted else None,
        )

    def row(self, entry: Entry) -> Any:
        *fields, received = entry
        return self._row(*fields, self._received(*received) if received else self._unset)

    def batches(self, rows: Sequence[Any]) -> Iterator[bytes]:
        for start in range(0, len(rows), _BATCH):
            yield self._sorted(rows[start : start + _BATCH])[1:-1]

    def indented(self, rows: Sequence[Any]) -> bytes:
        first, last = _INDENTED
        text: bytes = self._format(b'{"cursors":' + self._encode(rows) + b"}", indent=2)
        return text.removeprefix(first).removesuffix(last)


def _types(msgspec: Any) -> tuple[Any, Any, Any]:
    """Return the types of ``received``, of an entry and of a checkpoint."""
    kinds = schema.load()["$defs"]
    pattern = {name: field.get("pattern") for name, field in kinds["entry"]["properties"].items()}
    most = kinds["received"]["properties"]["facts"]["maximum"]
    text = Annotated[str, msgspec.Meta(min_length=1)]
    time = Annotated[str, msgspec.Meta(pattern=kinds["timestamp"]["pattern"])]
    direction = Annotated[str, msgspec.Meta(pattern=pattern["direction"])]
    cursor = Annotated[str, msgspec.Meta(min_length=1, pattern=pattern["cursor"])]
    exact = {"frozen": True, "gc": False, "forbid_unknown_fields": True}
    received = msgspec.defstruct(
        "Received",
        [
            ("facts", Annotated[int, msgspec.Meta(ge=0, le=most)]),
            ("last_fact_id", text | None),
        ],
        **exact,
    )
    entry = msgspec.defstruct(
        "Entry",
        [
            *(("peer_id", text), ("peer_node_id", text)),
            *(("peer_url", str | None), ("peer_status", str | None)),
            *(("direction", direction), ("cursor", cursor | None), ("updated_at", time | None)),
            ("received", received | msgspec.UnsetType, msgspec.UNSET),
        ],
        **exact,
    )
    document = msgspec.defstruct(
        "Checkpoint",
        [
            *(
                ("checkpoint_timestamp", time),
                ("db_path", text),
                ("cursors", GenericAlias(list, entry)),
            ),
            *(
                ("format_version", Literal[1]),
                ("node_id", text),
                ("generator", text),
                ("digest", str),
            ),
        ],
        **exact,
    )
    return received, entry, document
