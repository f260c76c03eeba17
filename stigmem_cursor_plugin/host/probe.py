"""Whether a node is running on this machine: every address where it may listen is asked."""

import errno
from collections.abc import Sequence

from stigmem_cursor_plugin.core.listener import Doubt, DoubtKind, Listener
from stigmem_cursor_plugin.host import wellknown
from stigmem_cursor_plugin.host.addresses import Address, node_addresses
from stigmem_cursor_plugin.host.parallel import at_once
from stigmem_cursor_plugin.host.settings import Settings


class Probe:
    """Asks each address at which the node with the given settings may listen."""

    def __init__(self, settings: Settings) -> None:
        """Look the addresses up, once for every call of :meth:`listeners`."""
        self._addresses = node_addresses(settings)
        self._certificate = (settings.tls_cert_path, settings.tls_key_path)

    def listeners(self) -> Sequence[Listener]:
        """Return what listens there now, without what is certainly no stigmem node.

        All addresses are asked at once. This takes milliseconds where nobody listens, and little
        more than :data:`wellknown.ANSWERS_WITHIN` whatever does.
        """
        open_to_us = [address for address in self._addresses if not _nobody_at(address)]
        # Half a second more, so that the thread can report its own timeout.
        heard = at_once(self._ask, open_to_us, wellknown.ANSWERS_WITHIN + 0.5)
        late = wellknown.ListenerReply(doubt=wellknown.NO_ANSWER)
        replies = ((str(address), heard.get(address, late)) for address in open_to_us)
        found = (Listener(where, reply.node_id, reply.doubt) for where, reply in replies)
        return [one for one in found if one.node_id is not None or one.doubt is not None]

    def _ask(self, address: Address) -> wellknown.ListenerReply:
        try:
            return wellknown.ask(address, self._certificate)
        except TimeoutError:
            return wellknown.ListenerReply(doubt=wellknown.NO_ANSWER)
        except OSError as error:
            nobody = error.errno in _NOBODY
            doubt = None if nobody else Doubt(DoubtKind.NOT_ASKED, str(error))
            return wellknown.ListenerReply(doubt=doubt)
        except Exception as error:  # noqa: BLE001  nonsense does not prove that no node runs
            doubt = Doubt(DoubtKind.NOT_UNDERSTOOD, type(error).__name__)
            return wellknown.ListenerReply(doubt=doubt)


def _nobody_at(address: Address) -> bool:
    """Tell whether a connection is refused at once, as it is where nothing listens."""
    try:
        address.connect(_AT_ONCE).close()
    except OSError as error:
        return error.errno in _NOBODY
    return False


_AT_ONCE = 0.05
"""Seconds in which the kernel answers for one of its own addresses."""
_NOBODY = {
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
    errno.ECONNREFUSED,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
}
