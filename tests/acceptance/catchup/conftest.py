"""Two nodes for all tests of a module, the second behind a server that can misbehave."""

from collections.abc import Iterator

import pytest

from tests.federation import FACTS, PAGE, Federation
from tests.hostile_peer import HostilePeer
from tests.served import Served, serving


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
