"""What import and catch-up ask before they write: is the node running on this database."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stigmem_cursor_plugin.core.listener import Listener, Presence, presence
from stigmem_cursor_plugin.errors import HostError
from stigmem_cursor_plugin.host.settings import Settings
from stigmem_cursor_plugin.reports import running_node
from stigmem_cursor_plugin.terminal import busy

if TYPE_CHECKING:
    from stigmem_cursor_plugin.host.probe import Probe


class RunningNode:
    """Looks for the node of a database; its pull loop would overwrite what a command writes.

    Look once before the database is locked, since a node that waits for the lock does not answer,
    and again as late as can be: someone may have started the node meanwhile.
    """

    def __init__(self, settings: Settings, *, asked: bool) -> None:
        """Take the node's settings; a node that is not *asked* counts as stopped."""
        self._probe = _probe(settings) if asked else None
        self._listeners: Sequence[Listener] = ()

    def look(self) -> None:
        """Ask every address of the node; at most some ten seconds."""
        if self._probe is not None:
            with busy("waiting for the node's answer"):
                self._listeners = self._probe.listeners()

    def refuse(self, node_id: str | None) -> None:
        """Refuse to go on if, when last looked, the node *node_id* was running or may have been.

        Raises :class:`HostError`.
        """
        if presence(self._listeners, node_id) is not Presence.STOPPED:
            raise HostError(running_node.refused(self._listeners, node_id))

    def check(self, node_id: str | None) -> None:
        """Look, then refuse; raises :class:`HostError` likewise."""
        self.look()
        self.refuse(node_id)

    def found(self, node_id: str | None) -> str | None:
        """Return, for a dry run, why the command itself would refuse to go on; None if not."""
        stopped = presence(self._listeners, node_id) is Presence.STOPPED
        return None if stopped else running_node.found(self._listeners, node_id)


def _probe(settings: Settings) -> "Probe":
    from stigmem_cursor_plugin.host.probe import Probe  # noqa: PLC0415  only for who writes

    return Probe(settings)
