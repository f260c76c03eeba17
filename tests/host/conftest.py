"""What the tests of the probe share."""

from pathlib import Path

import pytest

from tests.listeners import make_certificate


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate and its key."""
    return make_certificate(tmp_path_factory.mktemp("certificate") / "node.pem")
