"""Who has which facts: read from the databases, beside everything that uses them."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing

from soak.backups import read_only
from soak.site import Site
from tools.loopback import Node

_ALL = "SELECT id, entity, received_from IS NULL FROM facts WHERE entity LIKE 'demo:%'"


def facts_of(node: Node) -> Mapping[str, tuple[str, bool]] | None:
    """Return what each fact at a node is about and whether it is its own, by id.

    None where there is no database now.
    """
    try:
        with closing(read_only(node.database)) as connection:
            return {row[0]: (row[1], bool(row[2])) for row in connection.execute(_ALL)}
    except sqlite3.Error:
        return None


def missing(sites: Sequence[Site]) -> dict[str, dict[str, set[str]]]:
    """Return, for each node, which facts each other offers that it has not.

    A node offers its own facts; where nodes relay, all that it has. A node without a database
    offers none, and is left out. So is one that is gone.
    """
    here = [site for site in sites if not site.gone]
    found = {site.name: facts for site in here if (facts := facts_of(site.node)) is not None}
    offers = {
        site.name: {fact for fact, (_, own) in found[site.name].items() if own or site.relays}
        for site in here
        if site.name in found
    }
    return {
        name: {other: offered - facts.keys() for other, offered in offers.items() if other != name}
        for name, facts in found.items()
    }


def offered(sites: Sequence[Site]) -> int:
    """Return how many facts the sites offer, all together: what a full re-pull goes through."""
    return sum(
        own or site.relays
        for site in sites
        if not site.gone
        for _, own in (facts_of(site.node) or {}).values()
    )


def behind(sites: Sequence[Site]) -> dict[str, int | None]:
    """Return for each node how many facts the others offer that it has not; None: no database."""
    lacks = missing(sites)
    return {
        site.name: len(set().union(*lacks[site.name].values())) if site.name in lacks else None
        for site in sites
        if not site.gone
    }


def twice(node: Node) -> int:
    """Return how many facts are there more than once: each is about something of its own."""
    entities = [entity for entity, _ in (facts_of(node) or {}).values()]
    return len(entities) - len({*entities})
