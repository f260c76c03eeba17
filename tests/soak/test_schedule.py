"""The faults of a soak, which a seed decides."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.schedule import ALONE, COMPANIONS, LOSSES, NEEDS_DISK, Fault, schedule

SEEDS = st.integers(0, 2**32)


@given(SEEDS)
def test_same_seed(seed: int) -> None:
    """The same seed gives the same faults."""
    first, second = (schedule(seed, 600, 4, disks=True, gone=True) for _ in range(2))
    assert first == second


def test_another_seed() -> None:
    """Another seed gives others."""
    first, second = (schedule(seed, 600, 4, disks=True, gone=False) for seed in (1, 2))
    assert first != second


@given(SEEDS)
def test_every_kind_comes(seed: int) -> None:
    """Ten minutes have every kind of fault, and none twice more often than another."""
    blows = schedule(seed, 600, 4, disks=True, gone=True)
    counts = Counter(blow.faults[0] for blow in blows if blow.faults != [Fault.GONE])
    assert {*counts} == {*LOSSES, *ALONE}
    assert max(counts.values()) - min(counts.values()) <= 1


@given(SEEDS)
def test_only_losses_have_companions(seed: int) -> None:
    """What comes on top comes on top of a loss, and is nothing that loses a position itself."""
    for blow in schedule(seed, 600, 4, disks=True, gone=False):
        assert {*blow.faults[1:]} <= {*COMPANIONS}
        assert blow.is_loss or len(blow.faults) == 1


@given(SEEDS)
def test_without_disks(seed: int) -> None:
    """Where no file system can be mounted, its faults are left out."""
    blows = schedule(seed, 600, 4, disks=False, gone=False)
    assert not {*NEEDS_DISK} & {fault for blow in blows for fault in blow.faults}


@given(SEEDS)
def test_node_that_is_gone(seed: int) -> None:
    """The last node leaves half way, and nothing happens to it afterwards."""
    blows = schedule(seed, 600, 4, disks=True, gone=True)
    (gone,) = (blow for blow in blows if blow.faults == [Fault.GONE])
    assert (gone.at, gone.node) == (300, 3)
    assert all(blow.node != gone.node for blow in blows if blow.at > gone.at)


@pytest.mark.parametrize("seconds", [60, 600])
def test_in_time(seconds: float) -> None:
    """Every fault comes in its time, in order, and none hits the same node as the one before."""
    blows = schedule(7, seconds, 4, disks=True, gone=False)
    assert [blow.at for blow in blows] == sorted(blow.at for blow in blows)
    assert all(0 < blow.at < seconds for blow in blows)
    assert all(one.node != other.node for one, other in pairwise(blows))
