"""Which peers to catch up with."""

import pytest

from stigmem_cursor_plugin.core.choice import Choice, choose
from stigmem_cursor_plugin.core.snapshot import Peer

B = Peer("id-b", "stigmem://node-b", "", "active")
C = Peer("id-c", "stigmem://node-c", "", "revoked")
D = Peer("id-d", "stigmem://node-d", "", "active")


@pytest.mark.parametrize("status", ["pending_verification", "pending_approval"])
def test_a_peer_that_waits_for_approval(status: str) -> None:
    """It is asked too, so that what is missing from it is told; a dismissed one is not."""
    waits = Peer("id-w", "stigmem://node-w", "", status)
    assert choose([waits, C, B], []) == Choice([B, waits])
    assert choose([waits, B], ["id-w"]) == Choice([], [], [waits])


@pytest.mark.parametrize(
    ("names", "choice"),
    [
        ([], Choice([B, D])),
        (["stigmem://node-d", "id-b"], Choice([B, D], [], [])),
        (["id-b", "stigmem://node-b"], Choice([B], [], [])),
        (["x", "id-d", "x"], Choice([D], ["x"], [])),
        (["stigmem://node-c"], Choice([], [], [C])),
    ],
)
def test_which_peers(names: list[str], choice: Choice) -> None:
    """Every active peer, or those named by either id; a name that is none of them is told."""
    assert choose([D, C, B], names) == choice
