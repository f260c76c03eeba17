"""Which peers to catch up with."""

from collections.abc import Sequence
from dataclasses import dataclass

from stigmem_cursor_plugin.core.snapshot import Peer


@dataclass(frozen=True, slots=True)
class Choice:
    """The peers to catch up with, and which names are none: ``unknown``, or not ``active``."""

    peers: Sequence[Peer]
    unknown: Sequence[str] = ()
    inactive: Sequence[Peer] = ()


def choose(peers: Sequence[Peer], names: Sequence[str]) -> Choice:
    """Return the peers whose node id or peer id is in *names*.

    Without names, every one but those that are dismissed. One that waits for approval cannot be
    asked, and is told: after a loss its facts are missing until somebody approves it.
    """
    ordered = sorted(peers, key=lambda peer: peer.node_id)
    if not names:
        return Choice([peer for peer in ordered if not peer.dismissed])
    known = {name for peer in peers for name in (peer.node_id, peer.id)}
    named = [peer for peer in ordered if {peer.node_id, peer.id} & set(names)]
    return Choice(
        [peer for peer in named if peer.active],
        [name for name in dict.fromkeys(names) if name not in known],
        [peer for peer in named if not peer.active],
    )
