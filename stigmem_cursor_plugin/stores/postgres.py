"""A node's database on a PostgreSQL server."""

import os
import re
from collections.abc import Mapping
from typing import Any

from stigmem_cursor_plugin.errors import StoreError
from stigmem_cursor_plugin.stores.backend import BackendConnection, BackendStore, first_line
from stigmem_cursor_plugin.stores.base import LOCK_TIMEOUT, Dialect
from stigmem_cursor_plugin.stores.transaction import SQLTransaction

CONNECT_TIMEOUT = 10
"""Seconds to wait for a server that does not answer, unless the DSN or PGCONNECT_TIMEOUT says."""

# There is no rowid. The clocks of facts are this node's own, so the newest was stored last; a
# clock is not padded, so its two numbers are, for comparing as text.
_NEWEST = """MAX((COALESCE(
    lpad(split_part(hlc, '.', 1), 20, '0') || lpad(split_part(hlc, '.', 2), 20, '0'),
    repeat('0', 40)) || id) COLLATE "C")"""
_RECEIVED = f"""
SELECT received_from AS node_id, COUNT(*) AS facts, substr({_NEWEST}, 41) AS last
FROM facts WHERE received_from IS NOT NULL GROUP BY received_from
"""  # noqa: S608  nothing that a user gave is in it
_STORED = f"""
SELECT COUNT(*) AS facts, substr(COALESCE(
    {_NEWEST} FILTER (WHERE relation = 'stigmem:received_from'), {_NEWEST}), 41) AS last
FROM facts
"""  # noqa: S608
POSTGRES = Dialect(
    columns=(
        "SELECT c.table_name, c.column_name FROM information_schema.columns AS c"
        " JOIN information_schema.tables AS t USING (table_schema, table_name)"
        " WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
    ),
    received=_RECEIVED,
    stored=_STORED,
)

_WAIT = f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s'"

# In the order in which the host's pull loop writes them, so that neither waits for the other.
_WRITTEN = ("facts", "replication_cursors", "node_meta", "peers")


class PostgresStore(BackendStore):
    """The tables of one schema of a PostgreSQL database."""

    extra = "postgres"
    dialect = POSTGRES

    def __init__(self) -> None:
        """Read the host's settings, and do not wait for a server for ever."""
        # libpq reads it, whatever opens the connection.
        os.environ.setdefault("PGCONNECT_TIMEOUT", str(CONNECT_TIMEOUT))
        super().__init__()

    def describe(self, settings: Any) -> str:
        """Return the address of the database without user, password and options."""
        self._setting, dsn = _dsn(settings)
        return _address(_parsed(self._setting, dsn), settings.pg_schema or "public")

    def begin_reading(self, connection: BackendConnection) -> None:
        """Begin a transaction that sees one state of the database and cannot write."""
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(_WAIT)

    def begin_writing(self, connection: BackendConnection) -> None:
        """Keep other writers out of the tables that are read or written here."""
        connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE")
        connection.execute(_WAIT)
        tables = SQLTransaction(connection, POSTGRES).columns
        if held := [table for table in _WRITTEN if table in tables]:
            connection.execute(f"LOCK TABLE {', '.join(held)} IN SHARE ROW EXCLUSIVE MODE")

    def unreachable(self, error: Exception) -> str:
        """Explain why there is no connection; the settings are to blame, or the server."""
        if isinstance(error, ValueError):
            return f"cannot use {self.name} (STIGMEM_PG_SCHEMA): {first_line(error)}"
        return f"cannot connect to {self.name} ({self._setting}): {first_line(error)}"

    def is_lock(self, error: Exception) -> bool:
        """Tell a lock that was waited for in vain, or a deadlock."""
        return getattr(error, "pgcode", None) in ("55P03", "40P01")

    def is_constraint(self, error: Exception) -> bool:
        """Tell a violated constraint: SQLSTATE class 23."""
        return (getattr(error, "pgcode", None) or "").startswith("23")


def _dsn(settings: Any) -> tuple[str, str]:
    """Return the setting that names the server and its value, in the host's order."""
    found = {
        "STIGMEM_PG_DSN": settings.pg_dsn,
        "STIGMEM_DATABASE_URL": settings.database_url,
        "DATABASE_URL": os.environ.get("DATABASE_URL", ""),
    }
    for setting, dsn in found.items():
        if dsn:
            return setting, dsn
    raise StoreError(
        "the storage backend 'postgres' needs a server; name it in STIGMEM_PG_DSN, "
        "STIGMEM_DATABASE_URL or DATABASE_URL"
    )


def _parsed(setting: str, dsn: str) -> Mapping[str, str]:
    try:
        from psycopg2 import ProgrammingError  # noqa: PLC0415  an extra of the host
        from psycopg2.extensions import parse_dsn  # noqa: PLC0415
    except ImportError as error:
        raise StoreError(
            "the storage backend 'postgres' (STIGMEM_STORAGE_BACKEND) needs psycopg2, which is "
            "not installed; install 'stigmem-node[postgres]'"
        ) from error
    try:
        parsed: Mapping[str, str] = parse_dsn(dsn)
    except ProgrammingError:
        parsed = {}
    # A character of the password that is not escaped makes the rest of it a host or a port,
    # which libpq would print.
    shown = "".join(parsed.get(part, "") for part in ("host", "port", "dbname"))
    if not parsed or "@" in shown or not re.fullmatch(r"[0-9,]*", parsed.get("port", "")):
        raise StoreError(
            f"{setting} is not a connection string that libpq takes; in a URL, special "
            "characters of the password are written as %40 for @, and so on"
        )
    return parsed


def _address(parsed: Mapping[str, str], schema: str) -> str:
    host, database = parsed.get("host", ""), parsed.get("dbname", "")
    port = f":{parsed['port']}" if "port" in parsed else ""
    options = [f"host={host}"] if host.startswith("/") else []
    options += [f"schema={schema}"] if schema != "public" else []
    where = port if host.startswith("/") else f"{host}{port}"
    return f"postgresql://{where}/{database}" + ("?" + "&".join(options) if options else "")
