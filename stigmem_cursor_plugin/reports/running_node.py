"""Whether the node is running, in words."""

from collections.abc import Sequence

from stigmem_cursor_plugin.core.listener import (
    Doubt,
    DoubtKind,
    Listener,
    Presence,
    in_doubt,
    presence,
    running,
)


def found(listeners: Sequence[Listener], node_id: str | None) -> str:
    """Return that the node is running, or may be."""
    if (node := running(listeners, node_id)) is not None:
        return f"node {node_id} is running at {node.where}"
    silent = [f"{one.where} {sentence(one.doubt)}" for one in in_doubt(listeners) if one.doubt]
    return f"cannot tell whether the node is running: {', '.join(silent)}"


def refused(listeners: Sequence[Listener], node_id: str | None) -> str:
    """Return the same, with what to do."""
    sure = presence(listeners, node_id) is Presence.RUNNING
    unless = "" if sure else "; if that is not the node, add --assume-stopped"
    return f"{found(listeners, node_id)}; stop the node, then run this again{unless}"


def sentence(doubt: Doubt) -> str:
    """Return what a listener did, as it stands after its address."""
    return _SENTENCES[doubt.kind].format(doubt.detail)


_SENTENCES = {
    DoubtKind.NO_ANSWER: "gave no answer in {} s",
    DoubtKind.CLOSED: "closed the connection without an answer",
    DoubtKind.BROKEN_OFF: "broke off its answer",
    DoubtKind.TLS_REFUSED: "refused the TLS connection",
    DoubtKind.FAILED: "answered with HTTP status {}",
    DoubtKind.NOT_ASKED: "cannot be asked ({})",
    DoubtKind.NOT_UNDERSTOOD: "cannot be understood ({})",
}
