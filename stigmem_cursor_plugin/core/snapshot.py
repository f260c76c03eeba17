"""What a node's database holds, as plain data.

What there are many of is a named tuple: a frozen dataclass takes three times as long to make.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Key = tuple[str, str]
"""A peer id and a direction: the primary key of ``replication_cursors``."""


class Peer(NamedTuple):
    """A row of ``peers``."""

    id: str
    node_id: str
    url: str
    status: str


class Cursor(NamedTuple):
    """A row of ``replication_cursors``; ``position`` is None where there is none."""

    peer_id: str
    direction: str
    position: str | None
    updated_at: str


class Received(NamedTuple):
    """The facts that a database holds from one peer.

    ``facts`` counts them; ``last_fact_id`` is the one stored last, None where there is none.
    The facts table is append-only, so a database that holds that fact and at least that many
    holds all of them.
    """

    facts: int
    last_fact_id: str | None


NOTHING_RECEIVED = Received(0, None)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A database as one transaction sees it.

    ``cursors`` is None when the table is missing. ``received`` is by the peer's node id, and
    ``held`` holds those pairs of node id and fact id that were asked for and are there.
    """

    node_id: str | None
    peers: Sequence[Peer]
    cursors: Mapping[Key, Cursor] | None
    received: Mapping[str, Received] = field(default_factory=dict)
    held: Collection[tuple[str, str]] = frozenset()

    def received_from(self, peer: Peer) -> Received:
        """Return what the database holds from *peer*."""
        return self.received.get(peer.node_id, NOTHING_RECEIVED)
