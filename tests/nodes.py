"""A node on each database that a node can have, for tests that must hold for all of them."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import pytest
from stigmem_node.storage.encryption import derive_key

from tests.database import (
    NODE_ID,
    Database,
    EncryptedDatabase,
    LibSQLDatabase,
    PostgresDatabase,
)
from tools.postgres import Server, server

KEY = "0123456789abcdef" * 4
STORES = ("sqlite", "sqlcipher", "libsql", "postgres")
_MIGRATE = """
from stigmem_node.db import apply_migrations, db
apply_migrations()
with db() as connection:
    connection.execute("INSERT INTO node_meta (key, value) VALUES ('node_id', ?)", ("%s",))
"""
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "sqlite": {},
    "sqlcipher": {
        "STIGMEM_AT_REST_ENCRYPTION": "on",
        "STIGMEM_AT_REST_KEY_KMS_URI": "env://NODE_KEY",
        "NODE_KEY": KEY,
    },
    "libsql": {"STIGMEM_STORAGE_BACKEND": "libsql"},
    "postgres": {"STIGMEM_STORAGE_BACKEND": "postgres"},
}


def in_file(kind: str, path: Path) -> Database:
    """Return a database that is one file, of a kind."""
    match kind:
        case "sqlite":
            return Database(path)
        case "sqlcipher":
            return EncryptedDatabase(path, KEY)
        case "libsql":
            return LibSQLDatabase(path)
    raise ValueError(kind)


@dataclass(frozen=True)
class StoredNode:
    """A node's database, the settings that lead to it, and what messages call it."""

    kind: str
    database: Database
    environment: Mapping[str, str]
    name: str = "stigmem.db"


@dataclass
class Stores:
    """Makes nodes of every kind from databases that are migrated once."""

    made_once: Callable[[str, Callable[[Path], object]], Path]
    """Makes a directory that all workers of a run use."""
    _stack: ExitStack = field(default_factory=ExitStack)
    _server: Server | None = None

    @property
    def server(self) -> Server:
        """The PostgreSQL server, started when it is first wanted."""
        if self._server is None:
            self._server = self._stack.enter_context(server())
            PostgresDatabase(Path(), self._server.dsn("migrated")).run(
                "INSERT INTO node_meta (key, value) VALUES ('node_id', ?)", [NODE_ID]
            )
        return self._server

    def make(self, kind: str, directory: Path) -> StoredNode:
        """Make a node of *kind* without peers, its file in *directory*."""
        if kind == "postgres":
            return self.on_postgres(directory)
        if kind == "libsql" and find_spec("libsql_experimental") is None:
            pytest.skip("libsql-experimental has no wheel for this Python")
        path = directory / "stigmem.db"
        shutil.copy(self._template(kind), path)
        return StoredNode(kind, in_file(kind, path), SETTINGS[kind])

    def on_postgres(self, directory: Path) -> StoredNode:
        """Make a node on PostgreSQL."""
        name = self.server.new_database()
        dsn = self.server.dsn(name)
        socket = dsn.partition("host=")[2]
        return StoredNode(
            "postgres",
            PostgresDatabase(directory, dsn),
            {**SETTINGS["postgres"], "STIGMEM_PG_DSN": dsn},
            f"postgresql:///{name}?host={socket}",
        )

    def encrypted(self, directory: Path, settings: Mapping[str, str]) -> Database:
        """Make an encrypted file as the host makes it from *settings*, with a passphrase."""
        path = directory / "stigmem.db"
        _migrate(path, settings)
        key = derive_key(settings[settings["STIGMEM_AT_REST_KEY_PASSPHRASE_ENV"]].encode())
        return EncryptedDatabase(path, key.hex())

    def _template(self, kind: str) -> Path:
        made = self.made_once(kind, lambda to: _migrate(to / "stigmem.db", SETTINGS[kind]))
        return made / "stigmem.db"

    def __enter__(self) -> Self:
        """Begin; nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server, if it was started."""
        self._stack.close()


def _migrate(path: Path, settings: Mapping[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-c", _MIGRATE % NODE_ID],
        env={**settings, "STIGMEM_DB_PATH": str(path)},
        check=True,
    )
