"""What runs inside a host's environment, with its modules and the standard library alone.

Usage: python -P tools/inside_host.py fill < FACTS    store facts, one JSON object a line
       python -P tools/inside_host.py loop            pull as the node's loop does, no pause

Both act on the database that the environment names. They work on every release of the host.
"""

import asyncio
import inspect
import json
import logging
import sys
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stigmem_node.cid import compute_cid
from stigmem_node.db import db
from stigmem_node.federation_pull import pull_all_peers_once
from stigmem_node.hlc import node_hlc
from stigmem_node.peer_token import init_federation_keys

USUAL = {
    "relation": "demo:name",
    "value_type": "string",
    "source": "demo:source",
    "confidence": 1.0,
    "scope": "public",
    "interpret_as": "content",
    "tenant_id": "default",
    "valid_until": None,
}
"""What a fact is like where nothing else is asked for."""

_BOUND_BY_CID = inspect.signature(compute_cid).parameters


def fill() -> None:
    """Store the facts of standard input as the node stores its own; it signs what it serves."""
    with db() as connection:
        # A peer may offer what this release would not store itself.
        connection.execute("PRAGMA ignore_check_constraints = ON")
        known = [row["name"] for row in connection.execute("PRAGMA table_info(facts)")]
        for line in sys.stdin:
            row = _row(json.loads(line))
            names = [name for name in known if name in row]
            connection.execute(
                f"INSERT INTO facts ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",  # noqa: S608
                [row[name] for name in names],
            )


def _row(asked: Mapping[str, Any]) -> dict[str, Any]:
    fact = {**USUAL, **asked}
    made = {
        "id": str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat(),
        "hlc": None if "hlc" in asked else _tick(),
        "cid": compute_cid(**{name: fact[name] for name in _BOUND_BY_CID}),
    }
    return {**made, **fact}


def _tick() -> str:
    """Return the next clock. Facts are served in the order of its text: 10 would be before 9."""
    while True:
        clock = str(node_hlc.tick())
        if int(clock.partition(".")[2]) < 10:
            return clock
        time.sleep(0.001)


def loop() -> None:
    """Pull page after page until a round moves no position; print the seconds it took."""
    # What the host logs would go to standard error.
    logging.disable()
    init_federation_keys()
    begun = time.perf_counter()
    asyncio.run(_pull())
    print(time.perf_counter() - begun)


async def _pull() -> None:
    before, after = None, _positions()
    while before != after:
        await pull_all_peers_once()
        before, after = after, _positions()


def _positions() -> dict[str, str]:
    with db() as connection:
        rows = connection.execute("SELECT peer_id, cursor FROM replication_cursors").fetchall()
    return {row["peer_id"]: row["cursor"] for row in rows}


if __name__ == "__main__":
    {"fill": fill, "loop": loop}[sys.argv[1]]()
