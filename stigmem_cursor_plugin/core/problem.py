"""One thing that is wrong, as data; the sentences are in ``reports/problems.py``."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


class Trouble(Enum):
    """What kind of thing is wrong."""

    UNREADABLE = "unreadable"
    INVALID = "invalid"
    OTHER_NODE = "other node"
    SEVERAL_NODES = "several nodes"
    """A directory holds their checkpoints, and the database does not say which node it is of."""
    NO_CHECKPOINT = "no checkpoint"
    STALE = "stale"
    FROM_THE_FUTURE = "from the future"
    TABLE_MISSING = "table missing"
    POSITION_LOST = "position lost"
    """Facts were received from an active peer, and it has no position."""
    FACTS_GONE = "facts gone"
    """A position is set, and facts that it stands for are missing."""
    PEER_NOT_FOUND = "peer not found"
    WITHHELD = "withheld"
    """Import would withhold a position that is not set."""
    ON_TRUST = "on trust"
    """Import would restore a position, and nothing shows that its facts are there."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. ``subject`` names the file, directory or database that has it.

    The other fields are there where the trouble calls for them: ``detail`` is a node id, a time or
    an error's own words; ``expected`` is this node's id; ``facts`` counts those received or
    missing; a peer that ``awaits_approval`` is not approved yet.
    """

    trouble: Trouble
    subject: str
    detail: str = ""
    expected: str = ""
    peer: str = ""
    direction: str = ""
    facts: int = 0
    awaits_approval: bool = False
    age: timedelta = timedelta(0)
    limit: timedelta = timedelta(0)
