"""The arithmetic of docs/scale.md is that of a simulation, and the page is what it gives."""

import pytest

from benchmarks import mesh, scale
from benchmarks.mesh import Lost, Mesh
from stigmem_cursor_plugin.reports.formatting import PAGE
from tests.running import ROOT


@pytest.mark.parametrize("lost", [1, 20])
@pytest.mark.parametrize("hourly", [0, 600, 6_000])
@pytest.mark.parametrize("missing", [15, 100, 5_000, 50_000])
def test_arithmetic(missing: int, hourly: int, lost: int) -> None:
    """Time and facts of the formulas are within one pull of those counted page by page."""
    small = Mesh(nodes=200, peers=10, facts=0, hourly=hourly)
    computed = Lost(small, missing)
    counted = mesh.simulate(small, missing, lost)
    assert abs(counted.seconds - computed.seconds) <= 2 * small.interval
    one_pull = small.peers * PAGE
    assert abs(counted.fetched - computed.fetched) <= one_pull


def test_load_on_a_peer() -> None:
    """Facts a second that each node serves are those counted until all have caught up."""
    wide = Mesh(nodes=500, peers=20, facts=0, hourly=600)
    counted = mesh.simulate(wide, 20_000, lost=50)
    assert counted.served == pytest.approx(Lost(wide, 20_000).served(50), rel=0.02)


def test_page_is_fresh() -> None:
    """docs/scale.md is what the measured figures give."""
    assert (ROOT / "docs" / "scale.md").read_text() == "\n".join(scale.page()) + "\n"
