"""Peers that are registered while nothing is pulled."""

from httpx import HTTPError

from soak.site import Site
from tools.loopback import wait_for

NO_PULLS = "3600"
"""The pull interval while peers are registered: nothing is pulled before the import."""
PULL = "STIGMEM_FEDERATION_PULL_INTERVAL_S"

PATIENCE = 300.0
"""Seconds in which a peer answers whose own operator is at work."""


def register(site: Site, peer: Site) -> None:
    """Register *peer* at a node that runs; a node that relays trusts it as a relay."""
    site.node.add_peer(peer.node)
    if site.relays:
        trust = "UPDATE peers SET relay_trusted = 1 WHERE node_id = ?"
        site.node.query(trust, [peer.node.node_id])


def register_again(site: Site, peer: Site) -> None:
    """Register *peer* once it answers, unless it is gone; again if it is stopped half way."""
    while not site.gone and is_there(peer):
        try:
            register(site, peer)
        except (RuntimeError, HTTPError):
            site.node.query("DELETE FROM peers WHERE node_id = ?", [peer.node.node_id])
        else:
            return


def is_there(peer: Site) -> bool:
    """Wait until *peer* answers; False if it is gone for good."""
    wait_for(f"{peer.name} to answer", lambda: peer.gone or peer.node.answers(), PATIENCE)
    return not peer.gone
