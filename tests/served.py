"""Two nodes, the second behind a server that can misbehave."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.federation import Federation, federation
from tests.hostile_peer import HostilePeer, hostile_peer


@dataclass(frozen=True)
class Served:
    """The nodes, and the server in front of the second one."""

    nodes: Federation
    peer: HostilePeer


@contextmanager
def serving(directory: Path, facts: int, page_size: int | None = None) -> Iterator[Served]:
    """Start two nodes; the second has *facts* and gives at most *page_size* in a page."""
    with federation(directory, facts) as nodes, hostile_peer(nodes.b.url, page_size) as peer:
        nodes.a.query("UPDATE peers SET node_url = ?", [peer.url])
        nodes.keep()
        yield Served(nodes, peer)
