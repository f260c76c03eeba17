"""Whether what listens is the node."""

import pytest

from stigmem_cursor_plugin.core.listener import (
    Doubt,
    DoubtKind,
    Listener,
    Presence,
    in_doubt,
    presence,
    running,
)

OTHER = Listener("127.0.0.1:1", "stigmem://a", None)
NODE = Listener("127.0.0.1:2", "stigmem://b", None)
LAST = Listener("127.0.0.1:3", "stigmem://c", None)
SILENT = Listener("127.0.0.1:4", None, Doubt(DoubtKind.CLOSED))


@pytest.mark.parametrize("listeners", [[OTHER, NODE, LAST], [LAST, NODE, OTHER], [SILENT, NODE]])
def test_running(listeners: list[Listener]) -> None:
    """The node runs where its own id is given, and nowhere if the database has none."""
    copied = "".join(["stigmem://", "b"])
    assert running(listeners, copied) == NODE
    assert running(listeners, "stigmem://x") is None
    assert running(listeners, None) is None


def test_in_doubt() -> None:
    """What gives no node id may be any node."""
    assert in_doubt([OTHER, SILENT, NODE]) == [SILENT]


@pytest.mark.parametrize(
    ("listeners", "found"),
    [
        ([], Presence.STOPPED),
        ([OTHER, LAST], Presence.STOPPED),
        ([SILENT, OTHER], Presence.UNKNOWN),
        ([SILENT, NODE], Presence.RUNNING),
    ],
)
def test_presence(listeners: list[Listener], found: Presence) -> None:
    """The node has stopped where nothing can be it."""
    assert presence(listeners, "stigmem://b") is found
