"""What becomes of one position in an import, and what there is to say of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from stigmem_cursor_plugin.core.checkpoint import Checkpoint, Entry
from stigmem_cursor_plugin.core.snapshot import Peer
from stigmem_cursor_plugin.core.times import parse_time
from stigmem_cursor_plugin.core.witness import NOT_NEEDED, Evidence, Proof


class Outcome(Enum):
    """What becomes of one peer and direction; the value is the word in tables and documents."""

    RESTORED = "restored"
    PEER_NOT_FOUND = "peer not found"
    ALREADY_SET = "already set"
    WITHHELD = "facts missing"
    CLEARED = "cleared"
    NO_POSITION = "no position"


class Remark(Enum):
    """What there is to say of a decision; the sentences are in ``reports/importing.py``."""

    PEER_NOT_FOUND = "peer not found"
    ALREADY_SET = "already set"
    FALSE = "false"
    """Already set, though facts up to it are missing."""
    WITHHELD = "withheld"
    CLEARED = "cleared"
    NO_POSITION = "no position"
    RENAMED = "renamed"
    """The peer with the entry's peer id goes by another node id."""
    REGISTERED_AGAIN = "registered again"
    MOVED = "moved"
    LOSS_ACCEPTED = "loss accepted"
    """Restored on the operator's word, though facts are or may be missing."""
    ON_TRUST = "on trust"
    """Restored though nothing shows that facts were ever received."""
    FROM = "from"
    """Which of several checkpoints the position is from."""


_REMARK_OF = {
    Outcome.PEER_NOT_FOUND: Remark.PEER_NOT_FOUND,
    Outcome.ALREADY_SET: Remark.ALREADY_SET,
    Outcome.WITHHELD: Remark.WITHHELD,
    Outcome.CLEARED: Remark.CLEARED,
    Outcome.NO_POSITION: Remark.NO_POSITION,
}

_WITHHELD = (Outcome.WITHHELD, Outcome.CLEARED)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one peer and direction, from the entry that led to it.

    ``peer`` is the peer that the database knows for it, ``previous`` the position in the database.
    """

    outcome: Outcome
    checkpoint: Checkpoint
    entry: Entry
    peer: Peer | None
    previous: str | None = None
    evidence: Evidence = NOT_NEEDED

    @property
    def registered_again(self) -> bool:
        """The peer is known by its node id, under another peer id than the entry's."""
        return self.peer is not None and self.peer.id != self.entry.peer_id

    @property
    def position(self) -> str | None:
        """The position to write, where one is written."""
        return None if self.outcome is Outcome.CLEARED else self.entry.cursor

    @property
    def written(self) -> bool:
        """The position is written to the database."""
        return self.outcome in (Outcome.RESTORED, Outcome.CLEARED)

    @property
    def moved_at(self) -> str | None:
        """The time to write: when the position moved with a page that the database holds.

        Whoever looks at the database later looks for that page. None where it is not proven.
        """
        if not self.evidence.is_proof or self.entry.updated_at is None:
            return None
        return parse_time(self.entry.updated_at).isoformat()

    @property
    def moves(self) -> bool:
        """A position that is set becomes another, or none."""
        return self.written and self.previous is not None and self.previous != self.position

    @property
    def leaves_false_position(self) -> bool:
        """The position in the database stays, though facts up to it are missing."""
        return self.outcome is Outcome.ALREADY_SET and self.evidence.in_doubt

    @property
    def withholds(self) -> bool:
        """No position is restored, or the one that stays is false: facts are or may be missing."""
        return self.outcome in _WITHHELD or self.leaves_false_position

    def remarks(self, *, several: bool) -> Iterator[Remark]:
        """Yield what there is to say; *several* checkpoints were given."""
        if self.outcome is not Outcome.RESTORED:
            yield Remark.FALSE if self.leaves_false_position else _REMARK_OF[self.outcome]
            return
        if self.peer is not None and self.peer.node_id != self.entry.peer_node_id:
            yield Remark.RENAMED
        elif self.registered_again:
            yield Remark.REGISTERED_AGAIN
        if self.moves:
            yield Remark.MOVED
        if self.evidence.in_doubt:
            yield Remark.LOSS_ACCEPTED
        if self.evidence.proof is Proof.ON_TRUST:
            yield Remark.ON_TRUST
        if several:
            yield Remark.FROM
