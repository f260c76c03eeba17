"""A node's libSQL database: a local file, or the local replica of a remote one."""

from contextlib import ExitStack
from typing import Any

from stigmem_cursor_plugin.stores.backend import BackendConnection, BackendStore, first_line
from stigmem_cursor_plugin.stores.base import LOCK_TIMEOUT
from stigmem_cursor_plugin.stores.sqlite import read_header


class LibSQLStore(BackendStore):
    """A libSQL file, which must exist; a replica's writes go where its connection sends them."""

    extra = "libsql"

    def describe(self, settings: Any) -> str:
        """Return the path of the local file."""
        return str(settings.db_path)

    def begin_reading(self, connection: BackendConnection) -> None:
        """Begin a transaction in which nothing can be written."""
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")

    def begin_writing(self, connection: BackendConnection) -> None:
        """Take the write lock."""
        connection.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT * 1000}")
        connection.execute("BEGIN IMMEDIATE")

    def unreachable(self, error: Exception) -> str:
        """Explain why the file, or the remote database, did not open."""
        if not self._settings.libsql_url:
            return f"{self.name}: {first_line(error)}"
        # The driver may quote the address, and that may hold a token.
        return (
            f"{self.name} is a replica, and the database at STIGMEM_LIBSQL_URL cannot be reached "
            "or refuses STIGMEM_LIBSQL_AUTH_TOKEN; check both"
        )

    def _open(self, stack: ExitStack) -> BackendConnection:
        # libSQL would create the file.
        read_header(self.name)
        return super()._open(stack)
