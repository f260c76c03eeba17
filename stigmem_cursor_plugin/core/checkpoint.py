"""The checkpoint: what it holds, built from a snapshot or read from a JSON document.

Field names and their order are the runbook's ("Checkpoint format"). ``received``, ``node_id``,
``format_version``, ``generator``, ``undo`` and ``digest`` are this project's (design, "The
checkpoint"); the host's own import ignores them, so files pass both ways.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple

from stigmem_cursor_plugin import __version__
from stigmem_cursor_plugin.core.snapshot import Cursor, Key, Peer, Received, Snapshot

FORMAT_VERSION = 1


class Entry(NamedTuple):
    """One peer's position in one direction; ``cursor`` is None where there is none."""

    peer_id: str
    peer_node_id: str
    peer_url: str | None
    peer_status: str | None
    direction: str
    cursor: str | None
    updated_at: str | None
    received: Received | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Every cursor of a node at one time (RFC 3339, UTC).

    An ``undo`` checkpoint holds what an import with ``--force`` overwrote.
    """

    timestamp: str
    db_path: str | None
    entries: Sequence[Entry]
    node_id: str | None = None
    generator: str | None = None
    undo: bool = False

    @property
    def time(self) -> datetime:
        """The timestamp as an aware datetime, to tell newer from older."""
        return parse_time(self.timestamp)

    @property
    def positions(self) -> int:
        """How many entries have a position to restore."""
        return sum(1 for entry in self.entries if entry.cursor)


def build(snapshot: Snapshot, db_path: str, now: datetime) -> Checkpoint:
    """Return the checkpoint of a database at the time *now* (aware, UTC), by peer node id.

    Cursors of a peer that the database does not know are left out, as the host does.
    """
    return _taken((snapshot.cursors or {}).values(), snapshot, db_path, now)


def build_undo(
    cursors: Iterable[Cursor], snapshot: Snapshot, db_path: str, now: datetime
) -> Checkpoint:
    """Return a checkpoint of what *cursors* overwrite, which may be no position."""
    stored = snapshot.cursors or {}
    keys: Iterator[Key] = ((peer_id, direction) for peer_id, direction, _, _ in cursors)
    overwritten = [stored.get(key) or Cursor(*key, None, "") for key in keys]
    return replace(_taken(overwritten, snapshot, db_path, now), undo=True)


def _taken(
    cursors: Iterable[Cursor], snapshot: Snapshot, db_path: str, now: datetime
) -> Checkpoint:
    peers = {peer.id: peer for peer in snapshot.peers}
    entries = [
        _entry_of(cursor, peers[cursor.peer_id], snapshot)
        for cursor in cursors
        if cursor.peer_id in peers
    ]
    entries.sort(key=attrgetter("peer_node_id", "direction"))
    return Checkpoint(
        timestamp=rfc3339(now.replace(microsecond=0)),
        db_path=db_path,
        entries=entries,
        node_id=snapshot.node_id,
        generator=f"stigmem-cursor-plugin {__version__}",
    )


def _entry_of(cursor: Cursor, peer: Peer, snapshot: Snapshot) -> Entry:
    _, direction, position, updated_at = cursor
    # A peer has the first fields of an entry, in their order.
    return Entry(
        *peer,
        direction,
        None if position is None or _CONTROL.search(position) else position,
        _rfc3339_of(updated_at),
        snapshot.received_from(peer) if direction == INBOUND else None,
    )


INBOUND = "inbound"
"""The direction in which facts are received, and for which ``received`` is counted."""

_AS_THE_HOST_WRITES_IT = re.compile(
    r"2[0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{6})?\+00:00"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _rfc3339_of(text: str) -> str | None:
    if _AS_THE_HOST_WRITES_IT.fullmatch(text):
        return f"{text[:-6]}Z"
    try:
        moment = datetime.fromisoformat(text)
        return rfc3339(moment.astimezone(UTC)) if moment.tzinfo and moment.year > 1000 else None
    except (ValueError, OverflowError):
        return None


def parse_time(text: str) -> datetime:
    """Return an RFC 3339 time as an aware datetime; a leap second becomes the second before."""
    return datetime.fromisoformat(text.upper().replace(":60", ":59"))


def rfc3339(moment: datetime) -> str:
    """Return an aware UTC datetime as RFC 3339 with ``Z``, as precise as it is."""
    return moment.isoformat().replace("+00:00", "Z")


def from_document(document: Mapping[str, Any]) -> Checkpoint:
    """Return the checkpoint that a validated JSON document holds."""
    return Checkpoint(
        timestamp=document["checkpoint_timestamp"],
        db_path=document.get("db_path"),
        entries=tuple(_entry(item) for item in document["cursors"]),
        node_id=document.get("node_id"),
        generator=document.get("generator"),
        undo=document.get("undo", False),
    )


def _entry(item: Mapping[str, Any]) -> Entry:
    received = item.get("received")
    return Entry(
        peer_id=item["peer_id"],
        peer_node_id=item["peer_node_id"],
        peer_url=item.get("peer_url"),
        peer_status=item.get("peer_status"),
        direction=item["direction"],
        cursor=item["cursor"],
        updated_at=item.get("updated_at"),
        received=received and Received(received["facts"], received["last_fact_id"]),
    )
