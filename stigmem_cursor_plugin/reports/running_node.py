"""Whether the node is running, in words."""

from collections.abc import Sequence

from stigmem_cursor_plugin.core import listener
from stigmem_cursor_plugin.core.listener import Listener


def found(listeners: Sequence[Listener], node_id: str | None) -> str | None:
    """Return that the node is running or may be; None where it certainly is not."""
    if (node := listener.running(listeners, node_id)) is not None:
        return f"node {node_id} is running at {node.where}"
    silent = [f"{one.where} {one.trouble}" for one in listener.in_doubt(listeners)]
    return f"cannot tell whether the node is running: {', '.join(silent)}" if silent else None


def refused(listeners: Sequence[Listener], node_id: str | None) -> str | None:
    """Return the same, with what to do."""
    what = found(listeners, node_id)
    if what is None:
        return None
    sure = listener.running(listeners, node_id) is not None
    unless = "" if sure else "; if that is not the node, add --assume-stopped"
    return f"{what}; stop the node, then run this again{unless}"
