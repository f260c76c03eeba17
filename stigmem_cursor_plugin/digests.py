"""The digest of a checkpoint: SHA-256 of its canonical JSON without the digest itself.

Canonical: keys sorted, no white space, UTF-8 with nothing escaped that need not be.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def digest(fields: Mapping[str, Any], entries: Iterable[bytes]) -> str:
    """Return ``sha256:`` and the hash of a document with *fields* and the field ``cursors``.

    *entries* is the canonical JSON of one entry or of several with commas between, piece by
    piece: a large checkpoint is not held in memory a second time.
    """
    sha256 = hashlib.sha256()
    separator = b"{"
    for key in sorted([*fields, "cursors"]):
        sha256.update(separator + canonical(key).encode() + b":")
        separator = b","
        if key == "cursors":
            sha256.update(b"[")
            for number, piece in enumerate(entries):
                sha256.update(b"," + piece if number else piece)
            sha256.update(b"]")
        else:
            sha256.update(canonical(fields[key]).encode())
    sha256.update(b"}")
    return f"sha256:{sha256.hexdigest()}"
