"""The contract between a stigmem host and plugins that add ``stigmem federation`` commands.

A plugin is a module named in the entry-point group :data:`GROUP` whose functions are marked
with ``pluggy.HookimplMarker("stigmem")``. A host that calls the hook is described in
``docs/host-hook.md``; on hosts that do not, the startup file of this package makes the call.
"""

from typing import Any

import pluggy

PROJECT = "stigmem"
"""Name of the pluggy project, for hook specification and implementation markers."""

GROUP = "stigmem.cli"
"""Entry-point group in which plugins for the ``stigmem`` command are found."""

hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec
def stigmem_register_federation_commands(subparsers: Any) -> None:
    """Add commands to ``stigmem federation``.

    *subparsers* is what ``ArgumentParser.add_subparsers()`` returned for ``federation``. Each
    parser added to it must set ``func`` to a callable that takes the parsed arguments and
    returns an exit status. A command of the same name that is already there must be removed
    first: argparse refuses a second one from Python 3.11 on.
    """
