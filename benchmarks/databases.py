"""Node databases of any size, made with the host's own migrations."""

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

_MIGRATE = "import sys; from stigmem_node.db import apply_migrations; apply_migrations(sys.argv[1])"
_START = 1725349500000
_PEER = """
INSERT INTO peers (id, node_id, node_url, federation_pubkey, allowed_scopes, status,
    declaration_sig, signed_at)
VALUES (?, ?, ?, 'key', '["public"]', 'active', 'signature', '2026-05-02T18:00:00+00:00')
"""
_FACT = """
INSERT INTO facts (id, entity, relation, value_type, value_v, source, timestamp, confidence,
    scope, hlc, received_from, origin_node_id)
VALUES (?1, 'entity', 'relation', 'string', 'value', 'source', '2026-05-02T18:00:00+00:00', 1,
    'public', ?2, ?3, ?3)
"""


def migrated(python: Path, path: Path) -> Path:
    """Make an empty database with the migrations of an environment's host."""
    subprocess.run([python, "-c", _MIGRATE, path], check=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO node_meta (key, value) VALUES ('node_id', 'stigmem://node-a.example')"
        )
    return path


def filled(template: Path, path: Path, cursors: int, facts: int = 0) -> Path:
    """Copy *template* and fill it with peers, a cursor for each, and facts received from them."""
    shutil.copy(template, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(_PEER, _peers(cursors))
        connection.executemany(
            "INSERT INTO replication_cursors VALUES (?, 'inbound', ?, ?)",
            (
                (f"{number:032x}", _position(number), f"2026-05-02T18:25:00.{number:06}+00:00")
                for number in range(cursors)
            ),
        )
        connection.executemany(
            _FACT,
            (
                (f"fact-{number:032x}", _position(number), _node_id(number % cursors))
                for number in range(facts)
            ),
        )
    return path


def with_positions(path: Path, copy: Path, position: str | None) -> Path:
    """Copy a database and give every cursor the same position, or none."""
    shutil.copy(path, copy)
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE replication_cursors SET cursor = ?", [position])
    return copy


def fresh(path: Path, copy: Path) -> Path:
    """Copy a database over one that was used."""
    for suffix in ("-wal", "-shm"):
        Path(f"{copy}{suffix}").unlink(missing_ok=True)
    shutil.copy(path, copy)
    return copy


def _peers(number: int) -> Iterator[tuple[str, str, str]]:
    for peer in range(number):
        yield f"{peer:032x}", _node_id(peer), f"https://node-{peer}.example:8765"


def _node_id(peer: int) -> str:
    return f"stigmem://node-{peer}.example"


def _position(number: int) -> str:
    return f"{_START + number}.{number % 17}"
