"""Whether the node is running, in words."""

from collections.abc import Sequence

from stigmem_cursor_plugin.core.listener import Listener, Presence, in_doubt, presence, running


def found(listeners: Sequence[Listener], node_id: str | None) -> str:
    """Return that the node is running, or may be."""
    if (node := running(listeners, node_id)) is not None:
        return f"node {node_id} is running at {node.where}"
    silent = [f"{one.where} {one.trouble}" for one in in_doubt(listeners)]
    return f"cannot tell whether the node is running: {', '.join(silent)}"


def refused(listeners: Sequence[Listener], node_id: str | None) -> str:
    """Return the same, with what to do."""
    sure = presence(listeners, node_id) is Presence.RUNNING
    unless = "" if sure else "; if that is not the node, add --assume-stopped"
    return f"{found(listeners, node_id)}; stop the node, then run this again{unless}"
