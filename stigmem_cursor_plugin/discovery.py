"""Find the plugins of the entry-point group and let each register its commands.

Only for hosts that do not call the hook themselves. One plugin that fails costs its own
commands, never the others' nor the host's.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from stigmem_cursor_plugin import hookspecs
from stigmem_cursor_plugin.terminal import tell_warning


def register_plugins(subparsers: Any) -> None:
    """Call ``stigmem_register_federation_commands`` on every plugin that can be loaded."""
    found = {entry_point.name: entry_point for entry_point in entry_points(group=hookspecs.GROUP)}
    for name in sorted(found):
        try:
            _register(found[name], subparsers)
        except (Exception, SystemExit) as error:  # noqa: BLE001  other people's code
            tell_warning(
                f"plugin {name!r} ({found[name].value}) skipped: {type(error).__name__}: {error}"
            )


def _register(entry_point: EntryPoint, subparsers: Any) -> None:
    # A manager for each plugin: pluggy stops at the first implementation that raises.
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(entry_point.load(), name=entry_point.name)
    manager.check_pending()
    manager.hook.stigmem_register_federation_commands(subparsers=subparsers)
