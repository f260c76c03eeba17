"""How long it takes to fetch facts again."""

from dataclasses import dataclass

PAGE = 100
"""Facts that a node fetches from a peer in one pull (stigmem-node 0.9.0a12)."""

CATCH_UP_RATE = 800
"""Facts that cursor-catchup fetches in a second, as seen on two cores (``make bench-catchup``)."""


@dataclass(frozen=True, slots=True)
class Repull:
    """The cost of fetching facts from one peer again, by the node's loop and by catch-up.

    The loop fetches a page at each pull interval, in seconds (the host's runbook, "Problem").
    """

    facts: int
    pull_interval: int

    @property
    def pages(self) -> int:
        """How many pulls it takes."""
        return -(-self.facts // PAGE)

    @property
    def seconds(self) -> int:
        """How long the loop takes."""
        return self.pages * self.pull_interval

    @property
    def catch_up_seconds(self) -> int:
        """How long cursor-catchup takes."""
        return -(-self.facts // CATCH_UP_RATE)
