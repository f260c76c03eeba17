"""What is remembered of signatures and of origins, on the host's own code."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from stigmem_node.federation import origin_identity as origins
from stigmem_node.identity import manifest as manifests
from stigmem_node.identity.manifest import ManifestError, OrgManifest

from stigmem_cursor_plugin.host import remembering
from stigmem_cursor_plugin.host.remembering import (
    good_signatures_remembered,
    silent_origins_remembered,
)
from tools.loopback import base64url

KEY = Ed25519PrivateKey.generate()


@pytest.fixture(autouse=True)
def _remembered() -> Iterator[None]:
    """Everything here happens while signatures are remembered."""
    with good_signatures_remembered():
        yield


def signed(**changes: str) -> OrgManifest:
    """A manifest that the host accepts, changed before it was signed."""
    now = datetime.now(UTC)
    values = {
        "entity_uri": "https://b.example",
        "key_id": "b-key",
        "public_key": base64url(KEY.public_key().public_bytes_raw()),
        "issued_at": now.isoformat(),
        "expires_at": (now + timedelta(days=1)).isoformat(),
        **changes,
    }
    return manifests.sign_manifest(OrgManifest(entities=[], **values), KEY)


def test_good_signature() -> None:
    """A manifest that is signed well is accepted each time."""
    manifest = signed()
    assert manifests.verify_manifest(manifest)
    assert manifests.verify_manifest(manifest)


def test_bad_signature() -> None:
    """A manifest that was changed is refused each time, also after the good one of its key."""
    manifest = signed()
    assert manifests.verify_manifest(manifest)
    manifest.entity_uri = "https://c.example"
    for _ in range(2):
        with pytest.raises(ManifestError, match="self-signature"):
            manifests.verify_manifest(manifest)


def test_dates() -> None:
    """A manifest that is valid for longer than the host allows is refused, well signed or not."""
    assert manifests.verify_manifest(signed())
    for_ever = signed(expires_at=(datetime.now(UTC) + timedelta(days=10_000)).isoformat())
    for _ in range(2):
        with pytest.raises(ManifestError, match="exceeds"):
            manifests.verify_manifest(for_ever)


def test_nothing_is_left_behind() -> None:
    """After the block the host verifies as it did before."""
    during = manifests._pubkey_from_b64
    with good_signatures_remembered():
        assert manifests._pubkey_from_b64 is not during
    assert manifests._pubkey_from_b64 is during


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the host asks for a manifest; none of them answers."""
    addresses: list[str] = []

    def get(url: str, **_: object) -> httpx.Response:
        addresses.append(url)
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(origins, "_pinned_relay_manifest_get", get)
    return addresses


def test_silent_origin(asked: list[str]) -> None:
    """An origin that does not answer is asked once, and another one is asked too."""
    with silent_origins_remembered():
        for name in ("c", "c", "d", "c"):
            assert origins._fetch_relay_manifest(f"https://{name}.example") is None
    places = [f"https://{name}.example/.well-known/stigmem-manifest.json" for name in "cd"]
    assert asked == places


def test_silent_origin_is_asked_again(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while it is asked again: it may have been started."""
    monkeypatch.setattr(remembering, "ASKED_AGAIN", 0.0)
    with silent_origins_remembered():
        for _ in range(2):
            assert origins._fetch_relay_manifest("https://c.example") is None
    assert len(asked) == 2


def test_origin_is_forgotten(asked: list[str]) -> None:
    """After the block the host asks for each fact, as it did before."""
    with silent_origins_remembered():
        origins._fetch_relay_manifest("https://c.example")
    for _ in range(2):
        origins._fetch_relay_manifest("https://c.example")
    assert len(asked) == 3
