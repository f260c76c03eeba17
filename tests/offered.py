"""Facts of every kind that the host treats differently when it pulls them.

They are written into the database of a real node, which serves them as it serves its own. What it
would not store itself (a clock, cid, scope or signature that is wrong) is written as it stands.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tools.loopback import Node

PLAIN = 120
"""More than the host fetches in one page."""
HELD_ID = "11111111-1111-4111-8111-111111111111"
TAKEN_ID = "22222222-2222-4222-8222-222222222222"
SCOPES = '["company","public","secret"]'
TENANTS = '["acme","default"]'
GARDEN = "quarantine"

Fact = dict[str, Any]


def prepare_nodes(a: Node, b: Node) -> None:
    """Let node b offer more than its own public facts, and node a have something beforehand."""
    for node in (a, b):
        _set_for_peers(node, "allowed_scopes", SCOPES)
        _set_for_peers(node, "allowed_tenants", TENANTS)
    # The setting STIGMEM_FEDERATION_RELAY_ENABLED decides whether that counts.
    _set_for_peers(a, "relay_trusted", 1)
    a.query(
        "INSERT INTO gardens (id, slug, name, scope, created_by, created_at, quarantine)"
        " VALUES (?, ?, 'quarantine', 'public', 'demo:operator', '2026-05-02', 1)",
        [GARDEN, GARDEN],
    )
    held = {"entity": "demo:held", "value_v": "held", "received_from": b.node_id}
    a.add_facts(
        [
            {"entity": "demo:contradicted-here", "value_v": "local"},
            {"id": HELD_ID, **held},
            {"id": TAKEN_ID, "entity": "demo:taken", "value_v": "by another fact"},
        ]
    )


def _set_for_peers(node: Node, column: str, value: object) -> None:
    # Older releases of the host lack some of them.
    if column in [row[1] for row in node.query("PRAGMA table_info(peers)")]:
        node.query(f"UPDATE peers SET {column} = ?", [value])


def offer(b: Node, facts: Iterable[Fact]) -> tuple[str, str]:
    """Store facts at node b, each a little later; return the clocks before and of the last one."""
    newest = b.query("SELECT MAX(hlc) FROM facts WHERE entity LIKE 'demo:%'")[0][0]
    before = int(float(newest)) if newest else int(time.time() * 1000) - 60_000
    clocked = [{**fact, "hlc": f"{before + number}.0"} for number, fact in enumerate(facts, 1)]
    b.add_facts(clocked)
    return f"{before}.0", str(clocked[-1]["hlc"])


def every_kind(b: Node, c: Node) -> Iterator[Fact]:
    """Return facts that the loop stores or passes over, some that node b relays for node c.

    An instruction and one more fact come last: a node without a quarantine garden stops there.
    """
    for number in range(PLAIN):
        yield {"entity": f"demo:plain-{number}", "value_v": f"{number}"}
    yield from _values()
    yield from _contradictions()
    yield {"entity": "demo:company", "value_v": "inside", "scope": "company"}
    yield {"entity": "demo:held", "value_v": "held", "id": HELD_ID}
    yield {"entity": "demo:unknown-scope", "value_v": "v", "scope": "secret"}
    yield {"entity": "demo:not-granted", "value_v": "v", "origin_allowed_scopes": '["company"]'}
    yield _signed("bad-signature", b, key=Ed25519PrivateKey.generate())
    yield _signed("tenant-not-granted", b, tenant="other")
    yield _signed("relayed", c)
    yield _signed("relayed-bad-signature", c, key=b.key)
    yield _signed("relayed-by-nobody", Node("node-z", b.directory))
    yield {"entity": "demo:do", "value_v": "this", "interpret_as": "instruction"}
    yield AFTER


AFTER = {"entity": "demo:after", "value_v": "what came before"}


def stopping(name: str, b: Node) -> Iterator[Fact]:
    """Return a fact on which the loop of 0.9.0a12 fails for ever, between two that are plain.

    It rejects the fact, and the audit event for that breaks a CHECK of its own table.
    """
    yield {"entity": f"demo:before-{name}", "value_v": "v"}
    yield {
        "bad cid": {"entity": "demo:bad-cid", "value_v": "v", "cid": f"sha256:{'0' * 64}"},
        # Served as 1.5, which has another cid.
        "padded number": {"entity": "demo:padded", "value_type": "number", "value_v": "1.50"},
        "id of another fact": {"entity": "demo:taken", "value_v": "by this", "id": TAKEN_ID},
        "unmapped tenant": _signed("unmapped-tenant", b, tenant="acme"),
    }[name]
    yield AFTER


STOPPING = ("bad cid", "padded number", "id of another fact", "unmapped tenant")


def _values() -> Iterator[Fact]:
    for kind, value in {
        "text": "viele Wörter 例",
        "number": "1.5",
        "boolean": "true",
        "datetime": "2026-05-02T18:30:00Z",
        "ref": "demo:plain-1",
        "null": "null",
    }.items():
        yield {"entity": f"demo:{kind}", "value_type": kind, "value_v": value}
    for confidence in (0.0, 0.3):
        yield {"entity": f"demo:sure-{confidence}", "value_v": "?", "confidence": confidence}
    for valid_until in ("2020-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00"):
        yield {"entity": "demo:until", "relation": valid_until, "value_v": "v"} | {
            "valid_until": valid_until
        }


def _contradictions() -> Iterator[Fact]:
    yield {"entity": "demo:contradicted-here", "value_v": "peer"}
    for value in ("red", "green", "blue"):
        yield {"entity": "demo:contradicted-there", "value_v": value}


def _signed(
    name: str, origin: Node, *, tenant: str = "default", key: Ed25519PrivateKey | None = None
) -> Fact:
    """Return a fact that the peer serves as it came, with the signature of its origin."""
    from stigmem_node.cid import compute_cid  # noqa: PLC0415
    from stigmem_node.federation.origin_signature import sign_origin  # noqa: PLC0415

    from tools.inside_host import USUAL  # noqa: PLC0415

    fact: Fact = {"id": f"{name}-id", "entity": f"demo:{name}", "value_v": "v"}
    bound = ("relation", "value_type", "source", "confidence", "scope", "interpret_as")
    usual: Mapping[str, Any] = USUAL
    cid = compute_cid(
        entity=fact["entity"], value_v="v", **{column: usual[column] for column in bound}
    )
    block = {
        "tenant": tenant,
        "node_id": origin.node_id,
        "allowed_scopes": ["public"],
        "allowed_tenants": json.loads(TENANTS),
        "entity_uri": origin.url,
    }
    signature = sign_origin(
        key or origin.key, fact_id=fact["id"], cid=cid, origin=block, valid_until=None
    )
    return fact | {
        "received_from": "stigmem://before",
        "origin_node_id": origin.node_id,
        "origin_tenant": tenant,
        "origin_allowed_scopes": '["public"]',
        "origin_allowed_tenants": json.dumps(json.loads(TENANTS)),
        "origin_entity_uri": origin.url,
        "origin_sig": signature,
    }
