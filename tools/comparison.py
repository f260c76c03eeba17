"""The host's built-in commands and these, case by case, on a database in a directory of its own.

Usage: python -m tools.comparison    prints the table of docs/comparison.md
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tools.postgres import query, server
from tools.stories import backup

_NODE = """
INSERT INTO peers (id, node_id, node_url, federation_pubkey, allowed_scopes, status,
    declaration_sig, signed_at)
VALUES ('id-b', 'stigmem://node-b', 'http://node-b:8765', '', '[]', 'active', '', '2026');
INSERT INTO replication_cursors VALUES ('id-b', 'inbound', '1725349500000.5', '2026-05-02');
"""
_MIGRATE = "from stigmem_node.db import apply_migrations; apply_migrations('stigmem.db')"
ENTRY = {
    "peer_id": "id-b",
    "peer_node_id": "stigmem://node-b",
    "direction": "inbound",
    "cursor": "1725349500000.6",
}


@dataclass(frozen=True)
class Bench:
    """A directory with a node's database, and one of the two programs."""

    directory: Path
    plugin: bool

    def stigmem(self, *arguments: str, given: str = "", **settings: str) -> str:
        """Run ``stigmem federation`` and return how it ended."""
        inherited = {k: v for k, v in os.environ.items() if not k.upper().startswith("STIGMEM_")}
        switch = {} if self.plugin else {"STIGMEM_CLI_PLUGINS": "off"}
        finished = subprocess.run(
            [Path(sys.executable).parent / "stigmem", "federation", *arguments],
            cwd=self.directory,
            env={**inherited, "STIGMEM_PORT": "1", **switch, **settings},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if "Traceback" in finished.stderr:
            return "traceback"
        return f"exit {finished.returncode}"

    @property
    def database(self) -> Path:
        """The node's database."""
        return self.directory / "stigmem.db"

    def query(self, sql: str) -> None:
        """Change the database."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.executescript(sql)

    def import_of(self, document: object) -> str:
        """Import a document and return how that ended."""
        (self.directory / "c.json").write_text(json.dumps(document), encoding="utf-8")
        return self.stigmem("cursor-import", "c.json", "--force")


def dropped_table(bench: Bench) -> str:
    """Import a checkpoint after the table was dropped."""
    bench.query("DROP TABLE replication_cursors")
    return bench.import_of({"checkpoint_timestamp": "2026-05-02T18:30:00Z", "cursors": [ENTRY]})


def export_after_loss(bench: Bench) -> str:
    """Let cron export over the last good checkpoint after every position was lost."""
    bench.stigmem("cursor-export", "--out", "latest.json")
    bench.query("DELETE FROM replication_cursors")
    ended = bench.stigmem("cursor-export", "--out", "latest.json")
    kept = json.loads((bench.directory / "latest.json").read_text())["cursors"]
    return f"{ended}, the checkpoint is {'kept' if kept else 'gone'}"


def typing_error(bench: Bench) -> str:
    """Export with a path that is not there."""
    ended = bench.stigmem("cursor-export", "--db", "stigmen.db")
    made = (bench.directory / "stigmen.db").exists()
    return f"{ended}, {'an empty database is made' if made else 'nothing is made'}"


def on_postgres(bench: Bench) -> str:
    """Export from a node on PostgreSQL."""
    bench.database.unlink()
    with server() as running:
        dsn = running.dsn(running.new_database())
        query(dsn, _NODE)
        postgres = {"STIGMEM_STORAGE_BACKEND": "postgres", "STIGMEM_PG_DSN": dsn}
        ended = bench.stigmem("cursor-export", **postgres)
    local = "reads a local file that it makes" if bench.database.exists() else "reads the server"
    return f"{ended}, {local}"


def not_a_checkpoint(bench: Bench) -> str:
    """Import a JSON document that is none."""
    return bench.import_of([])


def entry_twice(bench: Bench) -> str:
    """Import two positions for one peer."""
    entries = [ENTRY, {**ENTRY, "cursor": "1725349500000.7"}]
    return bench.import_of({"checkpoint_timestamp": "2026-05-02T18:30:00Z", "cursors": entries})


def control_character(bench: Bench) -> str:
    """Import a position with a NUL in it."""
    entries = [{**ENTRY, "cursor": "1725349500000.7\0"}]
    return bench.import_of({"checkpoint_timestamp": "2026-05-02T18:30:00Z", "cursors": entries})


def export_reads(bench: Bench) -> str:
    """Export from a copy that is in another journal mode than a running node's."""
    bench.query("PRAGMA journal_mode = DELETE")
    before = hashlib.sha256(bench.database.read_bytes()).digest()
    ended = bench.stigmem("cursor-export", "--out", "c.json")
    same = hashlib.sha256(bench.database.read_bytes()).digest() == before
    return f"{ended}, the database is {'as it was' if same else 'changed'}"


CASES: dict[str, Callable[[Bench], str]] = {
    "import after the table was dropped": dropped_table,
    "cron exports after the positions were lost": export_after_loss,
    "typing error in `--db`": typing_error,
    "node on PostgreSQL": on_postgres,
    "import of a file that is no checkpoint": not_a_checkpoint,
    "two positions for one peer": entry_twice,
    "a NUL in a position": control_character,
    "export of a copy": export_reads,
}
HEADING = "| case | host | plugin |\n|---|---|---|"


def table() -> list[str]:
    """Play every case with both programs and return the rows."""
    with tempfile.TemporaryDirectory() as directory:
        node = Bench(Path(directory), plugin=True)
        subprocess.run([sys.executable, "-c", _MIGRATE], cwd=directory, check=True)
        node.query(_NODE)
        return [
            f"| {name} | {_played(node, case, False)} | {_played(node, case, True)} |"
            for name, case in CASES.items()
        ]


def _played(node: Bench, case: Callable[[Bench], str], plugin: bool) -> str:
    with tempfile.TemporaryDirectory(dir=node.directory) as name:
        bench = Bench(Path(name), plugin)
        backup(node.database, bench.database)
        return case(bench)


if __name__ == "__main__":
    print("\n".join([HEADING, *table()]))
