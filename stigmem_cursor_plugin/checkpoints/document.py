"""The checkpoint as JSON text, and the digest of a document."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

from stigmem_cursor_plugin.checkpoints.digests import Digest, batches, canonical
from stigmem_cursor_plugin.core.checkpoint import FORMAT_VERSION, Checkpoint, Entry


def to_json(checkpoint: Checkpoint) -> Iterator[str]:
    """Yield the checkpoint as JSON text: documented keys first, indent 2, newline at the end.

    In pieces, so that it is never in memory whole. The same text as ``json.dumps(document,
    indent=2)``, which takes four times as long: the standard library's encoder for indented text
    is not written in C.
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
    digest = Digest({**header, **footer})
    top = json.JSONEncoder(separators=(",\n  ", ": ")).encode
    yield f'{{\n  {top(header)[1:-1]},\n  "cursors": ['
    yield from _entries(checkpoint.entries, digest)
    footer["digest"] = digest.value
    yield f"],\n  {top(footer)[1:-1]}\n}}\n"


def _entries(entries: Sequence[Entry], digest: Digest) -> Iterator[str]:
    """Yield the text of *entries*, and add them to the digest."""
    separator = "\n"
    for batch in batches(entries):
        rows = _quoted(batch, encode_basestring_ascii)
        text = _indented(rows)
        if "\\" in text:
            # A checkpoint is ASCII; its canonical JSON escapes only what it must.
            rows = _quoted(batch, encode_basestring)
        digest.add(_canonical(rows).encode())
        yield separator + text
        separator = ",\n"
    if entries:
        yield "\n  "


_Row = tuple[str, str, str, str, str, str, str, tuple[int, str] | None]


def _quoted(entries: Sequence[Entry], quote: Callable[[str], str]) -> Sequence[_Row]:
    """Return the fields of *entries* as JSON, those of ``received`` as a pair."""

    def quoted(text: str | None) -> str:
        return "null" if text is None else quote(text)

    *columns, received = zip(*entries, strict=True)
    texts = (map(quoted if None in column else quote, column) for column in columns)
    counted = [item and (item.facts, quoted(item.last_fact_id)) for item in received]
    return list(zip(*texts, counted, strict=True))


def _indented(rows: Sequence[_Row]) -> str:
    return ",\n".join(
        [
            f"""    {{
      "peer_id": {peer_id},
      "peer_node_id": {node_id},
      "peer_url": {url},
      "peer_status": {status},
      "direction": {direction},
      "cursor": {cursor},
      "updated_at": {updated_at}{_INDENTED_RECEIVED % received if received else ""}
    }}"""
            for peer_id, node_id, url, status, direction, cursor, updated_at, received in rows
        ]
    )


_INDENTED_RECEIVED = """,
      "received": {
        "facts": %d,
        "last_fact_id": %s
      }"""


def _canonical(rows: Sequence[_Row]) -> str:
    return ",".join(
        [
            f'{{"cursor":{cursor},"direction":{direction},"peer_id":{peer_id},'
            f'"peer_node_id":{node_id},"peer_status":{status},"peer_url":{url},'
            f'{_CANONICAL_RECEIVED % received if received else ""}"updated_at":{updated_at}}}'
            for peer_id, node_id, url, status, direction, cursor, updated_at, received in rows
        ]
    )


_CANONICAL_RECEIVED = '"received":{"facts":%d,"last_fact_id":%s},'


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the digest that a validated document must have."""
    digest = Digest({key: document[key] for key in document if key not in ("digest", "cursors")})
    for batch in batches(document["cursors"]):
        digest.add(canonical(batch)[1:-1].encode())
    return digest.value
