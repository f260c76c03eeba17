"""What is said of a node that runs, or of what may be one."""

import pytest

from stigmem_cursor_plugin.core.listener import Doubt, DoubtKind, Listener
from stigmem_cursor_plugin.reports import running_node

NODE = Listener("127.0.0.1:1", "stigmem://a", None)


@pytest.mark.parametrize("kind", DoubtKind)
def test_every_doubt_has_its_sentence(kind: DoubtKind) -> None:
    """What a listener did is said after its address, and what to do if it is not the node."""
    doubt = Doubt(kind, "7")
    said = running_node.refused([Listener("127.0.0.1:2", None, doubt)], "stigmem://a")
    assert said == (
        "cannot tell whether the node is running: 127.0.0.1:2 "
        f"{running_node.sentence(doubt)}; stop the node, then run this again; if that is "
        "not the node, add --assume-stopped"
    )


def test_a_node_that_runs() -> None:
    """Where the node gives its id there is no doubt."""
    silent = Listener("127.0.0.1:2", None, Doubt(DoubtKind.CLOSED))
    assert running_node.refused([silent, NODE], "stigmem://a") == (
        "node stigmem://a is running at 127.0.0.1:1; stop the node, then run this again"
    )
