"""What goes wrong, when and where: decided by a seed alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

GAP = 11.0
"""Seconds from one blow to the next, on the average."""
FIRST = 4.0
"""Seconds of peace at the beginning."""


class Fault(Enum):
    """What can go wrong, in the words of the report."""

    KILLED = "node killed and started again"
    PAUSED = "node paused for seconds (a partition, a slow peer)"
    TABLE_DROPPED = "cursor table dropped"
    TABLE_EMPTIED = "cursor table emptied"
    ROW_DELETED = "one position deleted"
    MOVED_BACK = "positions moved back"
    FACTS_LOST = "facts and positions lost, peers kept"
    DATABASE_LOST = "database lost"
    EVERYTHING_LOST = "database and its backups lost"
    BACKUP_RESTORED = "an older backup restored over the database"
    REGISTERED_AGAIN = "a peer removed, then registered again under a new id"
    REVOKED = "a peer revoked for seconds"
    BESIDE_THE_NODE = "import and catch-up beside the running node"
    EXPORT_KILLED = "export killed"
    DISK_FULL = "disk of the checkpoints full"
    READ_ONLY = "disk of the checkpoints read-only"
    DIRECTORY_LOST = "directory of checkpoints lost"
    DIRECTORY_TORN = "newest checkpoint torn"
    DIRECTORY_MIXED = "another node's checkpoints in the directory"
    BACKUP_TORN = "newest backup torn"
    IMPORT_KILLED = "import killed, then run again"
    CATCH_UP_KILLED = "catch-up killed, then run again"
    TWO_OPERATORS = "two operators at once"
    GONE = "a node gone for good"


LOSSES = (
    Fault.TABLE_DROPPED,
    Fault.TABLE_EMPTIED,
    Fault.ROW_DELETED,
    Fault.MOVED_BACK,
    Fault.FACTS_LOST,
    Fault.DATABASE_LOST,
    Fault.EVERYTHING_LOST,
    Fault.BACKUP_RESTORED,
    Fault.REGISTERED_AGAIN,
)
"""What loses positions: each must raise an alarm."""
NEEDS_DISK = (Fault.DISK_FULL, Fault.READ_ONLY)
"""What needs a file system of its own for the checkpoints."""
COMPANIONS = (
    Fault.IMPORT_KILLED,
    Fault.CATCH_UP_KILLED,
    Fault.TWO_OPERATORS,
    Fault.DIRECTORY_LOST,
    Fault.DIRECTORY_TORN,
    Fault.DIRECTORY_MIXED,
    Fault.BACKUP_TORN,
)
"""What comes on top of a loss."""
ALONE = tuple(
    fault
    for fault in Fault
    if fault not in LOSSES and fault not in COMPANIONS[:3] and fault is not Fault.GONE
)


@dataclass(frozen=True)
class Blow:
    """What goes wrong at one node at once, ``at`` seconds after the beginning."""

    at: float
    node: int
    faults: Sequence[Fault]

    @property
    def is_loss(self) -> bool:
        """Whether positions are lost."""
        return any(fault in LOSSES for fault in self.faults)


def schedule(seed: int, seconds: float, nodes: int, *, disks: bool, gone: bool) -> list[Blow]:
    """Return the blows, each kind before any comes again.

    *disks* tells whether checkpoints have a file system of their own; *gone* has the last node
    leave for good half way, and nothing happens to it later.
    """
    random = Random(seed)  # noqa: S311  a schedule, no secret
    mains = _decks(random, [fault for fault in (*LOSSES, *ALONE) if _can_be(fault, disks)])
    companions = _decks(random, list(COMPANIONS))
    blows: list[Blow] = []
    moment, half = FIRST, seconds / 2
    while moment < seconds:
        left = nodes - 1 if gone and moment >= half else nodes
        others = [node for node in range(left) if not blows or node != blows[-1].node]
        main = next(mains)
        more = [next(companions) for _ in range(random.choice((0, 1, 1, 2)))]
        faults = [main, *(more if main in LOSSES else [])]
        blows.append(Blow(moment, random.choice(others), faults))
        moment += random.uniform(0.4, 1.6) * GAP
    if gone:
        blows.append(Blow(half, nodes - 1, [Fault.GONE]))
    return sorted(blows, key=lambda blow: blow.at)


def _can_be(fault: Fault, disks: bool) -> bool:
    return disks or fault not in NEEDS_DISK


def _decks(random: Random, faults: list[Fault]) -> Iterator[Fault]:
    """Deal the faults for ever, all of them before one comes again."""
    while True:
        random.shuffle(faults)
        yield from faults
