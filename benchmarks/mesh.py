"""A mesh of thousands of nodes that lose their cursor tables: computed, and simulated.

The arithmetic is :class:`Lost`; :func:`simulate` plays the same loss pull by pull, with peers
chosen at random, and a test compares the two.
"""

import random
from collections import Counter
from dataclasses import dataclass

from stigmem_cursor_plugin.reports.formatting import PAGE


@dataclass(frozen=True)
class Mesh:
    """Nodes that each pull from *peers* others."""

    nodes: int
    peers: int
    facts: int
    """Facts that a node holds from each of its peers."""
    hourly: int
    """New facts that each node offers in an hour."""
    interval: int = 30
    """Seconds between two pulls; the host's default."""


@dataclass(frozen=True)
class Lost:
    """What a node has to fetch again from each of its peers, *missing* facts, costs."""

    mesh: Mesh
    missing: int

    @property
    def seconds(self) -> float:
        """Until the node has caught up: pages come one a pull, and new facts all the while."""
        new = self.mesh.hourly * self.mesh.interval / 3600
        return max(1.0, self.missing / (PAGE - new)) * self.mesh.interval

    @property
    def fetched(self) -> float:
        """Facts fetched from all peers until then."""
        return self.mesh.peers * (self.missing + self.mesh.hourly * self.seconds / 3600)

    def served(self, lost: int) -> float:
        """Facts that a peer serves each second while *lost* nodes of the mesh recover at once."""
        pulled_by = self.mesh.peers * lost / self.mesh.nodes
        return pulled_by * PAGE / self.mesh.interval


@dataclass(frozen=True)
class Simulated:
    """What :func:`simulate` counted, for the mean lost node and the mean node that serves it.

    ``served`` are the facts a second that each node of the mesh served until all had caught up.
    """

    seconds: float
    fetched: float
    served: float


def simulate(mesh: Mesh, missing: int, lost: int, seed: int = 1) -> Simulated:
    """Let *lost* nodes pull, page by page, until each has caught up with each of its peers."""
    chance = random.Random(seed)  # noqa: S311  a simulation
    ended, fetched, served = [], 0, Counter[int]()
    for node in range(lost):
        others = chance.sample([other for other in range(mesh.nodes) if other != node], mesh.peers)
        times = []
        for peer in others:
            pulls, taken = _pulls(mesh, missing, chance.random())
            times.append(pulls * mesh.interval)
            fetched += taken
            served[peer] += taken
        ended.append(max(times))
    rate = sum(served.values()) / mesh.nodes / max(ended)
    return Simulated(sum(ended) / lost, fetched / lost, rate)


def _pulls(mesh: Mesh, missing: int, phase: float) -> tuple[int, int]:
    """Return the pulls until one peer has nothing left, and the facts taken."""
    offered, taken, pulls = float(missing) + phase, 0, 0
    while True:
        pulls += 1
        page = min(PAGE, int(offered) - taken)
        taken += page
        if page < PAGE:
            return pulls, taken
        offered += mesh.hourly * mesh.interval / 3600
