"""Remembers what the host asks again for each fact: signatures, and origins that do not answer.

The host verifies the manifest of the sender again for each of its facts (0.9.0a12). The same key,
signature and text cannot give another result, so the second time it is looked up. Whatever else
the host asks of a manifest, above all its dates, it asks each time.

A relay may serve thousands of facts of a node that is off the network. The host tries for up to
ten seconds to fetch that node's manifest, for each of them (``_fetch_relay_manifest``, 0.9.0a11 and
a12).
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any

MANIFESTS = 128
"""How many are remembered: one for each peer, in use."""

ASKED_AGAIN = 60.0
"""Seconds after which an origin that gave no manifest is asked for it again."""

Function = Callable[[str], Any]


@contextmanager
def good_signatures_remembered() -> Iterator[None]:
    """Verify each manifest's signature once during a block, where the host's release allows it."""

    def remembering(make_key: Function) -> Function:
        return lru_cache(MANIFESTS)(lambda text: _Key(make_key(text)))

    with _replaced("stigmem_node.identity.manifest", "_pubkey_from_b64", remembering):
        yield


@contextmanager
def silent_origins_remembered() -> Iterator[None]:
    """Ask an origin that gives no manifest once a minute during a block, not for each fact."""
    module = "stigmem_node.federation.origin_identity"
    with _replaced(module, "_fetch_relay_manifest", _unless_silent):
        yield


def _unless_silent(fetch: Function) -> Function:
    silent: dict[str, float] = {}

    def fetch_unless_silent(entity_uri: str) -> Any:
        if time.monotonic() - silent.get(entity_uri, -math.inf) < ASKED_AGAIN:
            return None
        manifest = fetch(entity_uri)
        if manifest is None:
            silent[entity_uri] = time.monotonic()
        return manifest

    return fetch_unless_silent


@contextmanager
def _replaced(module: str, name: str, by: Callable[[Function], Function]) -> Iterator[None]:
    """Replace a function of the host during a block; a release without it stays as it is."""
    try:
        found = import_module(module)
        original = getattr(found, name)
    except (ModuleNotFoundError, AttributeError):
        yield
        return
    setattr(found, name, by(original))
    try:
        yield
    finally:
        setattr(found, name, original)


class _Key:
    """A public key that verifies the same signature of the same text once."""

    def __init__(self, key: Any) -> None:
        self._key = key
        # What it raises for a bad signature is not remembered.
        self.verify = lru_cache(MANIFESTS)(key.verify)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._key, name)
