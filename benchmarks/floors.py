"""What catching up cannot be quicker than: its two halves, each without the other.

Usage: python -P benchmarks/floors.py serve       fetch every page and throw it away
       python -P benchmarks/floors.py insert DB   insert the facts of another database, unchecked

Runs inside a host's environment, on the database that it names; prints the seconds it took.
"""

import json
import sqlite3
import sys
import time
from contextlib import closing
from typing import Any

import httpx
from stigmem_node.db import db
from stigmem_node.peer_token import create_peer_token, init_federation_keys

PAGE = 500
"""Facts that cursor-catchup asks for at once, the most that a peer serves."""


def serve() -> None:
    """Ask every peer for all that it has, page after page."""
    init_federation_keys()
    with db() as connection:
        peers = connection.execute("SELECT * FROM peers").fetchall()
    with httpx.Client(timeout=60) as client:
        for peer in peers:
            _fetch(client, peer)


def _fetch(client: httpx.Client, peer: Any) -> None:
    page: dict[str, Any] = {"cursor": "", "has_more": True}
    while page["has_more"]:
        token = create_peer_token(peer["node_id"], json.loads(peer["allowed_scopes"]))
        answer = client.get(
            f"{peer['node_url']}/v1/federation/facts",
            params={"limit": PAGE, "cursor": page["cursor"]},
            headers={"Authorization": f"Bearer {token}"},
        )
        page = answer.raise_for_status().json()


def insert(source: str) -> None:
    """Insert the facts of *source*, as many in a transaction as catching up has."""
    with closing(sqlite3.connect(source)) as opened, db() as connection:
        rows = opened.execute("SELECT * FROM facts ORDER BY rowid")
        places = ", ".join("?" * len(rows.description))
        # Every fact comes with another one that says from whom.
        while page := rows.fetchmany(2 * PAGE):
            connection.executemany(f"INSERT INTO facts VALUES ({places})", page)  # noqa: S608
            connection.commit()


if __name__ == "__main__":
    begun = time.perf_counter()
    if sys.argv[1] == "serve":
        serve()
    else:
        insert(sys.argv[2])
    print(time.perf_counter() - begun)
