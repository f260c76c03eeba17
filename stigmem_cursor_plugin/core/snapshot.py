"""What a node's database holds, as plain data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

ACTIVE = "active"
"""The status of a peer that the node pulls from."""

DISMISSED = ("rejected", "revoked")
"""The statuses of a peer that an operator wants nothing more from."""

INBOUND = "inbound"
"""The direction in which facts are received, and for which ``received`` is counted."""

Key = tuple[str, str]
"""A peer id and a direction: the primary key of ``replication_cursors``."""

NodeKey = tuple[str, str]
"""A peer's node id and a direction: the same peer, also when it has registered again."""


class Peer(NamedTuple):
    """A row of ``peers``.

    A ``relay_trusted`` peer may hand on facts of other nodes. Releases before migration 045 lack
    that column: they have no relays.
    """

    id: str
    node_id: str
    url: str
    status: str
    relay_trusted: bool = False

    @property
    def active(self) -> bool:
        """The node pulls from this peer."""
        return self.status == ACTIVE

    @property
    def dismissed(self) -> bool:
        """An operator has ended what the node had with this peer."""
        return self.status in DISMISSED

    @property
    def awaits_approval(self) -> bool:
        """The node does not pull from this peer before an operator has approved it."""
        return not (self.active or self.dismissed)


class Cursor(NamedTuple):
    """A row of ``replication_cursors``, as it is read and written.

    ``position`` is None where there is none.
    """

    peer_id: str
    direction: str
    position: str | None
    updated_at: str

    @property
    def key(self) -> Key:
        """What tells this row from the others."""
        return self.peer_id, self.direction


@dataclass(frozen=True, slots=True)
class Received:
    """The facts that a database holds from one peer, or with ``any_sender`` all that it holds.

    ``facts`` counts them; ``last_fact_id`` is the one stored last, None where there is none.
    The facts table is append-only, so a database that holds that fact and at least that many
    holds all of them.
    """

    facts: int
    last_fact_id: str | None
    any_sender: bool = False


NOTHING_RECEIVED = Received(0, None)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A question: was a fact received from this node in this span (RFC 3339, inclusive).

    *since* is not compared: two questions about one move of a position are one question.
    """

    node_id: str
    since: str = field(compare=False)
    until: str


@dataclass(frozen=True, slots=True)
class Questions:
    """What a decision needs to know of a database beyond its cursors and counts."""

    fact_ids: Collection[str] = ()
    """Ids of facts: which of them are there, and from whom?"""

    receipts: Collection[Receipt] = ()
    whole_table: bool = False
    """Whether the facts of every sender must be counted."""

    pushes: bool = False
    """Whether the node takes facts that peers push (``STIGMEM_FEDERATION_PUSH_ENABLED``)."""

    relays: bool = False
    """Whether the node takes facts from relays (``STIGMEM_FEDERATION_RELAY_ENABLED``).

    A peer that is not trusted as a relay now may have been.
    """


NO_QUESTIONS = Questions()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The *database* of that name, as one transaction sees it.

    ``cursors`` is None when the table is missing. ``received`` is by the sender's node id, and
    ``received_at_all`` counts the whole facts table. ``may_hold_indirect_facts``: a fact may have
    come otherwise than by pulling from the peer that it is from: from another peer, or pushed.
    ``held`` maps those fact ids that were asked for and are there to their sender (None for the
    node's own); ``receipts`` are the questions that were answered with yes.
    """

    node_id: str | None
    peers: Sequence[Peer]
    cursors: Mapping[Key, Cursor] | None
    received: Mapping[str, Received] = field(default_factory=dict)
    received_at_all: Received = NOTHING_RECEIVED
    may_hold_indirect_facts: bool = False
    held: Mapping[str, str | None] = field(default_factory=dict)
    receipts: Collection[Receipt] = frozenset()
    database: str = ""

    @property
    def has_facts_of_former_peers(self) -> bool:
        """Whether there are facts from a node that is no active peer now."""
        return not self.received.keys() <= {peer.node_id for peer in self.peers if peer.active}

    def received_from(self, node_id: str) -> Received:
        """Return what the database holds from the node *node_id*."""
        return self.received.get(node_id, NOTHING_RECEIVED)

    def position(self, peer: Peer, direction: str) -> str | None:
        """Return how far the database got, None where it has no position."""
        cursor = (self.cursors or {}).get((peer.id, direction))
        return cursor.position if cursor else None

    @property
    def position_count(self) -> int:
        """How many positions of peers that are registered are set."""
        peers = {peer.id for peer in self.peers}
        cursors = (self.cursors or {}).values()
        return sum(1 for one in cursors if one.position is not None and one.peer_id in peers)
