"""Two nodes for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.federation import FACTS, Federation, federation


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Two nodes, the second with 1,200 facts, two full pages and a part of one."""
    with federation(tmp_path_factory.mktemp("nodes"), FACTS) as nodes:
        yield nodes


@pytest.fixture
def nodes(served: Federation) -> Federation:
    """The same, the first one without a fact or position of the second."""
    served.lose()
    return served
