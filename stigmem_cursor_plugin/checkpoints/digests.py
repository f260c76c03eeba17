"""The digest of a checkpoint: SHA-256 of its canonical JSON without the digest itself.

Canonical: keys sorted, no white space, UTF-8 with nothing escaped that need not be.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def batches(entries: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Return *entries* some hundred at a time: few calls, and little of them twice in memory."""
    return (entries[start : start + _BATCH] for start in range(0, len(entries), _BATCH))


_BATCH = 500


class Digest:
    """The digest of a document with *fields* and the field ``cursors``, which comes in pieces.

    So a large checkpoint is not held in memory a second time.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        """Take all fields but ``cursors`` and ``digest``."""
        texts = {key: f"{canonical(key)}:{canonical(fields[key])}" for key in sorted(fields)}
        before = [text for key, text in texts.items() if key < "cursors"]
        self._after = [text for key, text in texts.items() if key > "cursors"]
        self._sha256 = hashlib.sha256(("{" + ",".join([*before, '"cursors":['])).encode())
        self._separator = b""

    def add(self, entries: bytes) -> None:
        """Add the canonical JSON of one entry, or of several with commas between."""
        self._sha256.update(self._separator + entries)
        self._separator = b","

    @property
    def value(self) -> str:
        """``sha256:`` and the hash, once all entries were added."""
        whole = self._sha256.copy()
        whole.update((",".join(["]", *self._after]) + "}").encode())
        return f"sha256:{whole.hexdigest()}"
