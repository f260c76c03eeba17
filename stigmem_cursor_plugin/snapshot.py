"""What a node's database holds, as plain data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

Key = tuple[str, str]
"""A peer id and a direction: the primary key of ``replication_cursors``."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A row of ``peers``."""

    id: str
    node_id: str
    url: str
    status: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """A row of ``replication_cursors``; ``position`` is None where there is none."""

    peer_id: str
    direction: str
    position: str | None
    updated_at: str


@dataclass(frozen=True, slots=True)
class Received:
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
