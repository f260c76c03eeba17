"""How the commands that a message names are typed."""

import shlex
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """The program as it was called: ``stigmem federation`` or ``stigmem-cursor``, and ``--db``.

    A command that a message names does what it says when it is copied as it stands.
    """

    standalone: bool = False
    db: str | None = None

    def command(self, name: str, *arguments: str) -> str:
        """Return a command line in backticks; *name* is ``import``, ``export`` and so on."""
        prefix = "stigmem-cursor " if self.standalone else "stigmem federation cursor-"
        database = ["--db", self.db] if self.db is not None else []
        return f"`{prefix}{shlex.join([name, *database, *arguments])}`"
