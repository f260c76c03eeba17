"""What listens where the node may be, and whether it is the node."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Listener:
    """A node that answers, or something that may be a node and does not answer."""

    where: str
    """Address and port, such as ``127.0.0.1:8765``."""
    node_id: str | None
    trouble: str | None
    """Where there is no node id: what happened, such as ``gave no answer in 10 s``."""


class Presence(Enum):
    """Whether the node of a database runs."""

    STOPPED = "stopped"
    RUNNING = "running"
    UNKNOWN = "unknown"
    """Something that may be the node does not say what it is."""


def presence(listeners: Sequence[Listener], node_id: str | None) -> Presence:
    """Return whether the node *node_id* runs, as far as *listeners* show."""
    if running(listeners, node_id) is not None:
        return Presence.RUNNING
    return Presence.UNKNOWN if in_doubt(listeners) else Presence.STOPPED


def running(listeners: Sequence[Listener], node_id: str | None) -> Listener | None:
    """Return where the node *node_id* answers, None where it does not."""
    if node_id is None:
        return None
    return next((one for one in listeners if one.node_id == node_id), None)


def in_doubt(listeners: Sequence[Listener]) -> Sequence[Listener]:
    """Return those that may be any node."""
    return [one for one in listeners if one.trouble is not None]
