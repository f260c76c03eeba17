"""The checkpoint as JSON text, and the digest of a document."""

import json
from collections.abc import Iterator, Mapping
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

from stigmem_cursor_plugin import fast
from stigmem_cursor_plugin.checkpoint import FORMAT_VERSION, Checkpoint, Entry
from stigmem_cursor_plugin.digests import canonical, digest


def to_json(checkpoint: Checkpoint) -> str:
    """Return the checkpoint as JSON text: documented keys first, indent 2, newline at the end.

    The same text as ``json.dumps(document, indent=2)``, written out entry by entry,
    because the standard library's encoder for indented text is not written in C.
    """
    header = {
        "checkpoint_timestamp": checkpoint.timestamp,
        "db_path": checkpoint.db_path,
    }
    footer: dict[str, Any] = {"format_version": FORMAT_VERSION}
    if checkpoint.node_id is not None:
        footer["node_id"] = checkpoint.node_id
    if checkpoint.generator is not None:
        footer["generator"] = checkpoint.generator
    if checkpoint.undo:
        footer["undo"] = True
    pieces, cursors = fast.write(checkpoint.entries) or _entries(checkpoint)
    footer["digest"] = digest({**header, **footer}, pieces)
    cursors = f"[\n{cursors}\n  ]" if cursors else "[]"
    top = json.JSONEncoder(separators=(",\n  ", ": ")).encode
    return f'{{\n  {top(header)[1:-1]},\n  "cursors": {cursors},\n  {top(footer)[1:-1]}\n}}\n'


def _entries(checkpoint: Checkpoint) -> tuple[Iterator[bytes], str]:
    """Return the canonical JSON of the entries one by one, and their text in a checkpoint."""
    pieces = (_canonical_entry(entry).encode() for entry in checkpoint.entries)
    return pieces, ",\n".join(map(_indented_entry, checkpoint.entries))


def _indented_entry(entry: Entry) -> str:
    received = entry.received
    counted = (
        ""
        if received is None
        else f""",
      "received": {{
        "facts": {received.facts},
        "last_fact_id": {_ascii(received.last_fact_id)}
      }}"""
    )
    return f"""    {{
      "peer_id": {_ascii(entry.peer_id)},
      "peer_node_id": {_ascii(entry.peer_node_id)},
      "peer_url": {_ascii(entry.peer_url)},
      "peer_status": {_ascii(entry.peer_status)},
      "direction": {_ascii(entry.direction)},
      "cursor": {_ascii(entry.cursor)},
      "updated_at": {_ascii(entry.updated_at)}{counted}
    }}"""


def _canonical_entry(entry: Entry) -> str:
    received = entry.received
    counted = (
        ""
        if received is None
        else (
            f'"received":{{"facts":{received.facts},'
            f'"last_fact_id":{_utf8(received.last_fact_id)}}},'
        )
    )
    return (
        f'{{"cursor":{_utf8(entry.cursor)},"direction":{_utf8(entry.direction)},'
        f'"peer_id":{_utf8(entry.peer_id)},"peer_node_id":{_utf8(entry.peer_node_id)},'
        f'"peer_status":{_utf8(entry.peer_status)},"peer_url":{_utf8(entry.peer_url)},'
        f'{counted}"updated_at":{_utf8(entry.updated_at)}}}'
    )


def _ascii(text: str | None) -> str:
    return "null" if text is None else encode_basestring_ascii(text)


def _utf8(text: str | None) -> str:
    return "null" if text is None else encode_basestring(text)


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the digest that a validated document must have."""
    fields = {key: document[key] for key in document if key not in ("digest", "cursors")}
    cursors = document["cursors"]
    batches = (cursors[start : start + _BATCH] for start in range(0, len(cursors), _BATCH))
    return digest(fields, (canonical(batch)[1:-1].encode() for batch in batches))


_BATCH = 500
