"""A soak from its beginning to its end: blows, recoveries, a quiet time, and what is left."""

import signal
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from sqlite3 import Error
from threading import Event

from soak.backups import read_only
from soak.facts import behind, offered
from soak.faults import Scene, inflict
from soak.journal import Journal, Recovery, Sample
from soak.judging import Judgement, judge
from soak.mesh import NAMES, mesh
from soak.operating import Operator, operator_of
from soak.schedule import Blow, Fault, schedule
from soak.site import Site

SAMPLE_EVERY = 2.0
QUIET = 180.0
"""The most seconds for which no position moves while a node lacks facts, once nobody writes.

A node whose relays hand on facts of a node that is gone asks that one for each of them.
"""


@dataclass(frozen=True)
class Soak:
    """What to play: ``plugin`` with these commands, else with the host's own."""

    seed: int
    seconds: float
    relays: bool = False
    plugin: bool = True


def play(soak: Soak, directory: Path) -> tuple[Journal, Judgement]:
    """Play a soak in *directory*; what every node logged stays there."""
    journal = Journal()
    with mesh(directory, journal, relays=soak.relays, plugin=soak.plugin) as sites:
        blows = schedule(
            soak.seed, soak.seconds, len(NAMES), disks=sites[0].own_disk, gone=soak.relays
        )
        ended = Event()
        with ThreadPoolExecutor(len(sites) + 2) as pool:
            watcher = pool.submit(_watch, sites, journal, ended)
            leaver = pool.submit(_leave, sites, blows)
            try:
                list(pool.map(lambda site: _strike_all(soak, site, sites, blows), sites))
                _settle(soak, sites)
            finally:
                ended.set()
            watcher.result()
            leaver.result()
        return journal, judge(sites, journal)


def _watch(sites: Sequence[Site], journal: Journal, ended: Event) -> None:
    while not ended.wait(SAMPLE_EVERY):
        lacks = behind(sites)
        journal.samples += [Sample(journal.now, name, count) for name, count in lacks.items()]


def _leave(sites: Sequence[Site], blows: Sequence[Blow]) -> None:
    """Have a node leave for good when its time has come, whatever is done there then."""
    for blow in blows:
        if Fault.GONE in blow.faults:
            time.sleep(blow.at)
            sites[blow.node].leave()


def _strike_all(soak: Soak, site: Site, sites: Sequence[Site], blows: Sequence[Blow]) -> None:
    """Do what the schedule has for one site, one blow after the other."""
    mine = [b for b in blows if sites[b.node] is site and Fault.GONE not in b.faults]
    began = site.journal.now
    for number, blow in enumerate(mine):
        time.sleep(max(0.0, began + blow.at - site.journal.now))
        if site.gone or site.journal.now > began + soak.seconds:
            return
        chance = Random(f"{soak.seed}-{site.name}-{number}")  # noqa: S311  no secret
        _strike(Scene(site, [other for other in sites if other is not site], chance), blow)


def _strike(scene: Scene, blow: Blow) -> None:
    site, journal, began = scene.site, scene.site.journal, scene.site.journal.now
    lost = _lose(scene, blow)
    operator = operator_of(site, scene.others, blow.faults, scene.random)
    alarmed = blow.is_loss and _alarmed(site, operator)
    if blow.is_loss:
        operator.recover()
    else:
        site.start()
        operator.end_alarms()
    if site.gone:
        return
    names = [fault.value for fault in blow.faults]
    seconds = journal.now - began
    recovery = Recovery(site.name, names, began, seconds, operator.steps, lost, alarmed)
    whole = offered(scene.others)
    journal.recoveries.append(replace(recovery, fetched=operator.fetched, whole=whole))


def _lose(scene: Scene, blow: Blow) -> bool:
    """Do what the blow does; tell whether positions were lost."""
    if blow.is_loss:
        scene.site.stop(signal.SIGKILL)
    before = _positions(scene.site)
    inflict(scene, blow.faults)
    return blow.is_loss and _positions(scene.site) != before


def _alarmed(site: Site, operator: Operator) -> bool:
    """Tell whether what ``contrib/`` has scheduled notices: exports, and a check once a day."""
    operator.register_again()
    return any(run.status != 0 for run in (*site.next_exports(), *site.check()))


def _positions(site: Site) -> Mapping[str, str] | None:
    query = (
        "SELECT node_id, cursor FROM replication_cursors JOIN peers ON peers.id = peer_id"
        " WHERE status = 'active'"
    )
    try:
        with closing(read_only(site.node.database)) as connection:
            return dict(connection.execute(query))
    except Error:
        return None


def _settle(soak: Soak, sites: Sequence[Site]) -> None:
    """Stop writing; wait until every node has every fact; end every alarm that is left."""
    here = [site for site in sites if not site.gone]
    for site in here:
        site.end_writes()
        site.start()
    reached, since = None, time.monotonic()
    while any(behind(sites).values()) and time.monotonic() < since + QUIET:
        time.sleep(1)
        now = [_positions(site) for site in here]
        if now != reached:
            reached, since = now, time.monotonic()
    for site in here:
        others = [other for other in sites if other is not site]
        operator_of(site, others, (), Random(soak.seed)).end_alarms()  # noqa: S311
