"""The checkpoint as JSON text, and the digest of a document."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from stigmem_cursor_plugin.core.checkpoint import Checkpoint, to_document


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
