"""What listens where the node may be, and whether it is the node."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listener:
    """A node that answers, or something that may be a node and does not answer."""

    where: str
    """Address and port, such as ``127.0.0.1:8765``."""
    node_id: str | None
    trouble: str | None
    """Where there is no node id: what happened, such as ``gave no answer in 10 s``."""


def running(listeners: Sequence[Listener], node_id: str | None) -> Listener | None:
    """Return where the node *node_id* answers, None where it does not."""
    if node_id is None:
        return None
    return next((one for one in listeners if one.node_id == node_id), None)


def in_doubt(listeners: Sequence[Listener]) -> Sequence[Listener]:
    """Return those that may be any node."""
    return [one for one in listeners if one.trouble is not None]
