"""The checkpoint as a JSON document and its text, and the digest of a document.

Field names and their order are those of the host's runbook ("Checkpoint format"). ``received``,
``node_id``, ``format_version``, ``generator``, ``forced``, ``after_loss``, ``undo`` and ``digest``
are this project's, described in the published schema. The host's own import ignores them, so files
pass both ways.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.snapshot import Received

FORMAT_VERSION = 1


def to_json(checkpoint: Checkpoint) -> str:
    """Return the checkpoint as JSON: documented keys first, indent 2, a newline at the end."""
    document = to_document(checkpoint)
    document["digest"] = digest_of(document)
    # A document is a tree: looking for circles would take 3 % of an export.
    return json.dumps(document, indent=2, check_circular=False) + "\n"


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the digest that a document must have: SHA-256 of its canonical JSON without it.

    Canonical: keys sorted, no white space, UTF-8 with nothing escaped that need not be.
    """
    fields = {key: value for key, value in document.items() if key != "digest"}
    canonical = json.dumps(
        fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
    )
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def to_document(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return the checkpoint as a JSON document without its digest, documented fields first."""
    document: dict[str, Any] = {
        "checkpoint_timestamp": checkpoint.timestamp,
        "db_path": checkpoint.db_path,
        "cursors": [_entry_document(entry) for entry in checkpoint.entries],
        "format_version": FORMAT_VERSION,
    }
    optional = {
        "node_id": checkpoint.node_id,
        "generator": checkpoint.generator,
        "forced": checkpoint.forced,
        "after_loss": checkpoint.after_loss,
        "undo": checkpoint.undo,
    }
    return document | {name: value for name, value in optional.items() if value}


def _entry_document(entry: Entry) -> dict[str, Any]:
    document: dict[str, Any] = {
        "peer_id": entry.peer_id,
        "peer_node_id": entry.peer_node_id,
        "peer_url": entry.peer_url,
        "peer_status": entry.peer_status,
        "direction": entry.direction,
        "cursor": entry.cursor,
        "updated_at": entry.updated_at,
    }
    received = entry.received
    if received is not None:
        document["received"] = {"facts": received.facts, "last_fact_id": received.last_fact_id}
        if received.any_sender:
            document["received"]["any_sender"] = True
    return document


def from_document(document: Mapping[str, Any], name: str = "") -> Checkpoint:
    """Return the checkpoint that a validated JSON document holds, read from *name*."""
    return Checkpoint(
        timestamp=document["checkpoint_timestamp"],
        db_path=document.get("db_path"),
        entries=tuple(_entry(item) for item in document["cursors"]),
        node_id=document.get("node_id"),
        generator=document.get("generator"),
        forced=document.get("forced", False),
        after_loss=document.get("after_loss", False),
        undo=document.get("undo", False),
        name=name,
    )


def _entry(item: Mapping[str, Any]) -> Entry:
    received = item.get("received")
    return Entry(
        item["peer_id"],
        item["peer_node_id"],
        item.get("peer_url"),
        item.get("peer_status"),
        item["direction"],
        item["cursor"],
        item.get("updated_at"),
        received
        and Received(
            received["facts"], received["last_fact_id"], received.get("any_sender", False)
        ),
    )
