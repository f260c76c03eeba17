"""How the commands that a message names are typed."""

import shlex
from dataclasses import dataclass

from stigmem_cursor_plugin.terminal import STANDARD_STREAM


@dataclass(frozen=True, slots=True)
class Program:
    """The program as it was called: ``stigmem federation`` or ``stigmem-cursor``, and ``--db``.

    A command that a message names does what it says when it is copied as it stands.
    """

    standalone: bool = False
    db: str | None = None

    def command(self, name: str, *options: str, file: str | None = None) -> str:
        """Return a command line in backticks; *name* is ``import``, ``export`` and so on."""
        prefix = "stigmem-cursor " if self.standalone else "stigmem federation cursor-"
        database = ["--db", _no_option(self.db)] if self.db is not None else []
        files = [_no_option(file)] if file is not None else []
        return f"`{prefix}{shlex.join([name, *database, *options, *files])}`"

    def recovery(self) -> str:
        """Return what to do after a loss."""
        return (
            f"stop the node and run {self.command('import', file='FILE')}, or without a "
            f"checkpoint {self.command('catchup')}"
        )

    def acceptance(self, file: str) -> str:
        """Return how to end an alarm when no peer has the facts any more.

        On a node that takes facts from relays or pushes, it can stay though all were fetched again:
        the last row that the checkpoint counts is this node's own receipt, which no peer serves.
        """
        accept = self.command("export", "--force", "--out", file=file)
        return f"if every peer is caught up and this is still reported, accept the loss: {accept}"


def _no_option(path: str) -> str:
    """Return a path so that it is not taken for an option; ``-`` is standard input or output."""
    return f"./{path}" if path.startswith("-") and path != STANDARD_STREAM else path
