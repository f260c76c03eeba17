"""Two real nodes for the tests of catching up: one that lacks facts, one that serves them."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.running import Finished, run_in
from tools.loopback import Node, two_nodes

FACTS = 24
"""Facts that the second node offers where nothing else is said."""
PAGE = 10
"""Facts in a page that it gives there: two full pages and a part of one."""
NEVER = "3600"
"""Seconds between two pulls of a node that must not fetch anything by itself."""


ANY_AGE = "info: facts of any age are taken while this runs\n"
"""The first line of a run."""


def some(count: int, name: str = "fact") -> list[dict[str, object]]:
    """Return *count* facts, each by the columns in which it is not like the others."""
    return [{"entity": f"demo:{name}-{number}", "value_v": f"{number}"} for number in range(count)]


@dataclass
class Federation:
    """Node a, stopped, has lost everything from node b, which runs and serves its facts."""

    a: Node
    b: Node
    _lost: Path = field(init=False)

    def __post_init__(self) -> None:
        """Keep the database of node a as it is now."""
        self._lost = self.a.directory / "lost.db"
        self.keep()

    def keep(self) -> None:
        """Keep the database file of node a, if it has one, as what it is after a loss."""
        if self.a.database.exists():
            shutil.copy(self.a.database, self._lost)

    def lose(self) -> None:
        """Give node a the database that it had at first."""
        for suffix in ("", "-wal", "-shm"):
            self.a.database.with_name(self.a.database.name + suffix).unlink(missing_ok=True)
        shutil.copy(self._lost, self.a.database)

    def catch_up(self, *arguments: str, **environment: str) -> Finished:
        """Run ``cursor-catchup`` for node a."""
        return run_in(
            self.a.directory,
            ("stigmem", "federation", "cursor-catchup", *arguments),
            environment={**self.a.environment, **environment},
        )

    def document(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """Run it with ``--json`` and return the document."""
        found: dict[str, Any] = json.loads(
            self.catch_up("--json", *arguments, **environment).stdout
        )
        return found

    def check_position(self) -> int:
        """Check that node a holds all that node b offers up to its position; count its facts.

        The position must never be ahead of the facts, and no fact may be there twice.
        """
        position = self.a.cursor(self.b)
        offered = {
            row[0]
            for row in self.b.query(
                "SELECT id FROM facts WHERE received_from IS NULL AND entity LIKE 'demo:%'"
                " AND hlc <= ?",
                [position or ""],
            )
        }
        held = self.a.query("SELECT id FROM facts WHERE received_from = ?", [self.b.node_id])
        assert offered <= {row[0] for row in held}
        assert len(held) == len(set(held))
        return len(held)


@contextmanager
def federation(directory: Path, facts: int, **settings: str) -> Iterator[Federation]:
    """Start two nodes, give node b *facts*, stop node a before it has fetched one.

    *settings* are environment variables of node a.
    """
    with two_nodes(directory, interval=NEVER, **settings) as (a, b):
        a.stop()
        b.add_facts(some(facts))
        yield Federation(a, b)


def without_seconds(text: str) -> str:
    """Blank how long it took."""
    return re.sub(r", in \d+ (s|min)\b", ", in N s", text)
