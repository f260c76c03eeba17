"""What listens where the node may be, and whether it is the node."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class DoubtKind(Enum):
    """What a listener does that a node in trouble may do too."""

    NO_ANSWER = "no answer"
    """``detail`` is for how many seconds."""
    CLOSED = "closed"
    BROKEN_OFF = "broken off"
    TLS_REFUSED = "tls refused"
    FAILED = "failed"
    """``detail`` is the HTTP status."""
    NOT_ASKED = "not asked"
    """``detail`` is the error of the operating system."""
    NOT_UNDERSTOOD = "not understood"
    """``detail`` is the name of an error."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a listener may be the node, though it does not say so."""

    kind: DoubtKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Listener:
    """A node that answers, or something that may be a node and does not answer."""

    where: str
    """Address and port, such as ``127.0.0.1:8765``."""
    node_id: str | None
    doubt: Doubt | None


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
    return [one for one in listeners if one.doubt is not None]
