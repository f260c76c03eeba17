"""Two nodes for all tests of a module, the second behind a server that can misbehave."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.federation import FACTS, PAGE, Federation, federation
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


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two nodes; the second has two full pages of facts and a part of one."""
    with serving(tmp_path_factory.mktemp("nodes"), FACTS, PAGE) as served:
        yield served


@pytest.fixture
def nodes(served: Served) -> Federation:
    """The same, the first one without a fact or position of the second, which is honest."""
    served.nodes.lose()
    served.peer.reform()
    return served.nodes


@pytest.fixture
def hostile(served: Served, nodes: Federation) -> HostilePeer:
    """The server in front of the second of these nodes."""
    del nodes
    return served.peer
