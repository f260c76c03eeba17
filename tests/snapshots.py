"""Checkpoints and databases as plain data, for tests of decisions."""

from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.snapshot import Cursor, Peer, Received, Snapshot
from stigmem_cursor_plugin.core.witness import moved_with_page as moved_with

NODE_A, NODE_B = "stigmem://node-a", "stigmem://node-b"
MOVED = "2026-05-01T12:00:00.5+00:00"


def peer(peer_id: str = "b", status: str = "active", *, relay_trusted: bool = False) -> Peer:
    """Return node-b as a peer."""
    return Peer(peer_id, NODE_B, "", status, relay_trusted)


def entry(
    cursor: str | None = "200.0",
    received: Received | None = None,
    peer_id: str = "b",
    updated_at: str | None = None,
) -> Entry:
    """Return an entry for node-b."""
    return Entry(peer_id, NODE_B, None, None, "inbound", cursor, updated_at, received)


def checkpoint_of(*entries: Entry, hour: int = 12, node_id: str | None = None) -> Checkpoint:
    """Return a checkpoint of an hour of 2 May 2026."""
    time = f"2026-05-02T{hour:02}:00:00Z"
    return Checkpoint(time, None, entries, node_id, name=f"{hour}.json")


def snapshot(
    *,
    peers: tuple[Peer, ...] = (Peer("b", NODE_B, "", "active"),),
    position: str | None = None,
    held: int = 0,
    table: bool = True,
    moved_with_page: bool = True,
) -> Snapshot:
    """Return a database with the facts ``f1`` to ``f{held}`` of node-b.

    *moved_with_page*: its position moved when a fact was received that it holds.
    """
    cursors = {(peer.id, "inbound"): Cursor(peer.id, "inbound", position, MOVED) for peer in peers}
    seen = moved_with(NODE_B, MOVED)
    return Snapshot(
        node_id=NODE_A,
        peers=peers,
        cursors=cursors if table else None,
        received={NODE_B: Received(held, f"f{held}")} if held else {},
        held={f"f{number}": NODE_B for number in range(1, held + 1)},
        receipts={seen} if seen and moved_with_page else frozenset(),
        database="s.db",
    )
