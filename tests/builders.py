"""Checkpoints, times and positions for a test, and the checkpoints that are kept as files."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.running import ROOT

CASES = ROOT / "tests" / "checkpoints" / "cases"
VALID = sorted((CASES / "valid").glob("*.json"))
INVALID = sorted((CASES / "invalid").glob("*.json"))
REFUSED = sorted((CASES / "refused").glob("*.json"))
WITH_DIGEST = (CASES / "valid" / "all-fields.json").read_bytes()
WITHOUT_DIGEST = (CASES / "valid" / "runbook-example.json").read_bytes()
DONE = "cursor import complete: {} restored, {} skipped (peer not found), {} skipped (already set)"

RUNNING = "error: node {} is running at {}; stop the node, then run this again\n"
DOUBT = (
    "error: cannot tell whether the node is running: {}; stop the node, then run this again; if "
    "that is not the node, add --assume-stopped\n"
)


def lines(*said: str) -> str:
    """Return these lines as a command prints them."""
    return "".join(f"{line}\n" for line in said)


EXPORTED = """{
  "checkpoint_timestamp": "NOW",
  "db_path": "stigmem.db",
  "cursors": [
    {
      "peer_id": "id-of-node-b",
      "peer_node_id": "stigmem://node-b",
      "peer_url": "http://node-b:8765",
      "peer_status": "active",
      "direction": "inbound",
      "cursor": "1725349500000.005",
      "updated_at": "2026-05-02T18:25:00.123456Z",
      "received": {
        "facts": 3,
        "last_fact_id": "node-b-2"
      }
    },
    {
      "peer_id": "id-of-node-c",
      "peer_node_id": "stigmem://node-c",
      "peer_url": "http://node-c:8765",
      "peer_status": "active",
      "direction": "inbound",
      "cursor": "1725349500000.10",
      "updated_at": "2026-05-02T18:25:00.123456Z",
      "received": {
        "facts": 0,
        "last_fact_id": null
      }
    }
  ],
  "format_version": 1,
  "node_id": "stigmem://node-a",
  "generator": "stigmem-cursor-plugin 0.1.0",
  "digest": "sha256:HASH"
}
"""


def entry(name: str, cursor: str | None = "1725349500000.005", **fields: Any) -> dict[str, Any]:
    """Return an entry in the documented format for the peer *name*."""
    return {
        "peer_id": f"id-of-{name}",
        "peer_node_id": f"stigmem://{name}",
        "peer_url": f"http://{name}:8765",
        "peer_status": "active",
        "direction": "inbound",
        "cursor": cursor,
        "updated_at": "2026-05-02T18:25:00Z",
        **fields,
    }


def checkpoint(*entries: dict[str, Any], **fields: Any) -> str:
    """Return a checkpoint in the documented format."""
    return json.dumps(
        {
            "checkpoint_timestamp": "2026-05-02T18:30:00Z",
            "db_path": "/var/lib/stigmem/stigmem.db",
            "cursors": entries,
            **fields,
        }
    )


def received(facts: int, last_fact_id: str | None) -> dict[str, Any]:
    """Return the fields of an entry that counts its facts."""
    return {"received": {"facts": facts, "last_fact_id": last_fact_id}}


def ago(**span: float) -> datetime:
    """Return the time that long ago, and half a second, so that it is never rounded up."""
    return datetime.now(UTC) - timedelta(**span) + timedelta(seconds=0.5)


def position(moment: datetime) -> str:
    """Return the position of a time."""
    return f"{moment.timestamp() * 1000:.0f}.0"


def timestamp(moment: datetime) -> str:
    """Return the time as a checkpoint has it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def steady(text: str) -> str:
    """Replace what changes from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "NOW", text, count=1)
    return re.sub(r"sha256:[0-9a-f]{64}", "sha256:HASH", text)
