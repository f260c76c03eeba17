"""Remembers which signatures of a manifest were good.

The host verifies the manifest of the sender again for each of its facts (0.9.0a12). The same key,
signature and text cannot give another result, so the second time it is looked up. Whatever else
the host asks of a manifest, above all its dates, it asks each time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any

MANIFESTS = 128
"""How many are remembered: one for each peer, in use."""


@contextmanager
def good_signatures_remembered() -> Iterator[None]:
    """Verify each manifest's signature once during a block, where the host's release allows it."""
    try:
        manifests: Any = import_module("stigmem_node.identity.manifest")
        make_key = manifests._pubkey_from_b64
    except (ModuleNotFoundError, AttributeError):
        yield
        return
    manifests._pubkey_from_b64 = lru_cache(MANIFESTS)(lambda text: _Key(make_key(text)))
    try:
        yield
    finally:
        manifests._pubkey_from_b64 = make_key


class _Key:
    """A public key that verifies the same signature of the same text once."""

    def __init__(self, key: Any) -> None:
        self._key = key
        # What it raises for a bad signature is not remembered.
        self.verify = lru_cache(MANIFESTS)(key.verify)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._key, name)
