"""Checkpoints read with msgspec, of the extra ``fast``.

It reads only what :mod:`stigmem_cursor_plugin.checkpoints.document` wrote and nobody altered.
Everything else goes through the standard library and jsonschema, which also say what is wrong; so
behaviour does not depend on the extra.
"""

import re
from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from types import GenericAlias
from typing import Annotated, Any, Literal

from stigmem_cursor_plugin.checkpoints import schema
from stigmem_cursor_plugin.checkpoints.digests import Digest, batches, canonical
from stigmem_cursor_plugin.core.checkpoint import Checkpoint


def read(data: bytes) -> Checkpoint | None:
    """Return the checkpoint in *data*, or None where it is not sure to be as export wrote it.

    Sure is: it is ASCII without an escape or a control character, the fields have values that the
    schema allows, the digest matches, no field is there twice (the text has the quotation marks of
    its fields and no more), and no entry is.

    The entries are msgspec's own objects with the fields of an :class:`Entry`: making that many
    others of them takes as long as reading them.
    """
    if not _is_plain(data) or (codec := _codec()) is None:
        return None
    try:
        document = codec.decode(data)
    except ValueError:
        return None
    entries = document.cursors
    fields = {name: value for name in _FIELDS if (value := getattr(document, name))}
    quotes = canonical({**fields, "cursors": 0, "digest": ""}).count('"')
    digest = Digest(fields)
    for batch in batches(entries):
        piece = codec.canonical(batch)
        digest.add(piece)
        quotes += piece.count(b'"')
    if (
        digest.value != document.digest
        or quotes != data.count(b'"')
        or not codec.times_are_valid(document)
        or _repeated(entries)
    ):
        return None
    return Checkpoint(
        timestamp=document.checkpoint_timestamp,
        db_path=document.db_path,
        entries=entries,
        node_id=document.node_id,
        generator=document.generator,
        undo=document.undo,
    )


_FIELDS = ("checkpoint_timestamp", "db_path", "format_version", "generator", "node_id", "undo")


def _is_plain(data: bytes) -> bool:
    # Export writes the digest last. JSON itself forbids the other control characters in a string.
    signed = b'"digest"' in data[-_LONGEST_DIGEST:]
    return signed and data.isascii() and b"\\" not in data and b"\x7f" not in data


_LONGEST_DIGEST = 100
"""Bytes that the digest, its name and the end of the document take, at most."""


def _repeated(entries: Sequence[Any]) -> bool:
    for name in ("peer_id", "peer_node_id"):
        # Most nodes pull only, so that a peer is there once at all.
        for fields in ((name,), (name, "direction")):
            if len(set(map(attrgetter(*fields), entries))) == len(entries):
                break
        else:
            return True
    return False


@cache
def _codec() -> Any:
    """Return what decodes and encodes, or None where msgspec is not installed."""
    try:
        import msgspec  # noqa: PLC0415
    except ImportError:
        return None
    return _Codec(msgspec)


class _Codec:
    """What reads and writes JSON with msgspec, and the schema's pattern of a time."""

    def __init__(self, msgspec: Any) -> None:
        kinds = schema.load()["$defs"]
        self.decode = msgspec.json.Decoder(_types(msgspec, kinds)).decode
        self._sorted = msgspec.json.Encoder(order="sorted").encode
        self._is_time = re.compile(kinds["timestamp"]["pattern"]).match

    def canonical(self, entries: Sequence[Any]) -> bytes:
        """Return the canonical JSON of entries, with commas between."""
        array: bytes = self._sorted(entries)
        return array[1:-1]

    def times_are_valid(self, document: Any) -> bool:
        """Tell whether the times match the schema's pattern; each is looked at once."""
        times = set(map(attrgetter("updated_at"), document.cursors)) - {None}
        times.add(document.checkpoint_timestamp)
        return all(map(self._is_time, times))


def _types(msgspec: Any, kinds: Any) -> Any:
    """Return the type of a checkpoint; patterns apart, which msgspec takes longest for."""
    most = kinds["received"]["properties"]["facts"]["maximum"]
    text = Annotated[str, msgspec.Meta(min_length=1)]
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
            # A direction of a newer host is left to the standard library.
            ("direction", Literal["inbound", "outbound"]),
            *(("cursor", text | None), ("updated_at", str | None)),
            ("received", received | None, None),
        ],
        omit_defaults=True,
        **exact,
    )
    return msgspec.defstruct(
        "Checkpoint",
        [
            *(("checkpoint_timestamp", str), ("db_path", text)),
            ("cursors", GenericAlias(list, entry)),
            *(("format_version", Literal[1]), ("node_id", text)),
            *(("generator", text), ("digest", str), ("undo", bool, False)),
        ],
        **exact,
    )
