"""Four nodes in a full mesh, with what is scheduled beside each."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import permutations
from pathlib import Path
from uuid import uuid4

from soak.disks import can_mount
from soak.facts import behind
from soak.journal import Journal
from soak.registering import NO_PULLS, PULL, register
from soak.site import RELAY, Site
from tools.loopback import Node, wait_for

NAMES = ("node-a", "node-b", "node-c", "node-d")
INTERVAL = "1"
AT_FIRST = 200
"""Facts that each node has before the first fault."""
FEDERATED_WITHIN = 300.0
"""Seconds until every node has them, also on a busy machine."""


@contextmanager
def mesh(directory: Path, journal: Journal, *, relays: bool, plugin: bool) -> Iterator[list[Site]]:
    """Yield the sites once every node has every fact and a good export to each target.

    Everything is stopped at the end.
    """
    settings = {PULL: INTERVAL, **({RELAY: "true"} if relays else {})}
    sites = [
        Site(Node(name, directory / name, settings=dict(settings)), journal, plugin)
        for name in NAMES
    ]
    disks = _disks_can_be_had(directory)
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda site: _begin(site, disks), sites))
        for site, peer in permutations(sites, 2):
            register(site, peer)
        for site in sites:
            site.stop()
            site.node.settings[PULL] = INTERVAL
            site.start()
        wait_for(
            "the facts of the beginning", lambda: not any(behind(sites).values()), FEDERATED_WITHIN
        )
        journal.began = time.monotonic()
        for site in sites:
            site.begin_duties()
        for site in sites:
            site.next_exports()
        yield sites
    finally:
        for site in sites:
            site.clear()


def _begin(site: Site, disks: bool) -> None:
    site.prepare(own_disk=disks)
    site.node.add_facts(
        {"entity": f"demo:{site.name}-{uuid4()}", "value_v": "before"} for _ in range(AT_FIRST)
    )
    # Nothing is pulled before every peer is registered.
    site.node.settings[PULL] = NO_PULLS
    site.start()


def _disks_can_be_had(directory: Path) -> bool:
    trial = directory / "trial"
    trial.mkdir(parents=True)
    return can_mount(trial)
