"""Whether the node is running, in words."""

from collections.abc import Sequence


def running(node_id: str, where: str) -> str:
    """Return that the node answers at an address."""
    return f"node {node_id} is running at {where}"


def in_doubt(silent: Sequence[tuple[str, str]]) -> str:
    """Return the addresses that do not say who listens there, each with what they do instead."""
    places = ", ".join(f"{where} {trouble}" for where, trouble in silent)
    return f"cannot tell whether the node is running: {places}"


def refused(found: str, *, sure: bool) -> str:
    """Return what to do about *found*, one of the above."""
    unless = "" if sure else "; if that is not the node, add --assume-stopped"
    return f"{found}; stop the node, then run this again{unless}"
