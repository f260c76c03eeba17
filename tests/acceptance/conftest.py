"""What the stories and the runbook begin with."""

import pytest

from tools.stories import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Two stopped nodes with a history."""
    return Stage(tmp_path_factory.mktemp("stage"))
