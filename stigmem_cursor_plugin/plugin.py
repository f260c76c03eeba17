"""The implementation of the hook: hang the cursor commands on ``stigmem federation``."""

from typing import Any

import pluggy

from stigmem_cursor_plugin import commands, hookspecs

hookimpl = pluggy.HookimplMarker(hookspecs.PROJECT)


@hookimpl
def stigmem_register_federation_commands(subparsers: Any) -> None:
    """Hang the cursor commands on ``stigmem federation``, in place of the host's own."""
    commands.add_to(subparsers)
