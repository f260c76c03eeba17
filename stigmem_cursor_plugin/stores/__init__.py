"""Where a node keeps its peers, cursors and facts."""

from stigmem_cursor_plugin.errors import StoreError
from stigmem_cursor_plugin.host.settings import Settings
from stigmem_cursor_plugin.stores.base import Store
from stigmem_cursor_plugin.stores.sqlite import SQLiteStore


def open_store(settings: Settings) -> Store:
    """Return the store that the node's settings name; nothing is opened or created yet.

    Raises :class:`StoreError` for a backend that no node has: falling back to a local file
    would export an empty one.
    """
    # The host's storage takes longer to import than a SQLite file to export.
    if settings.storage_backend == "postgres":
        from stigmem_cursor_plugin.stores.postgres import PostgresStore  # noqa: PLC0415

        return PostgresStore()
    if settings.storage_backend not in ("sqlite", "libsql"):
        raise StoreError(
            f"STIGMEM_STORAGE_BACKEND is {settings.storage_backend!r}; the storage backend of a "
            "node is 'sqlite', 'libsql' or 'postgres'"
        )
    if not settings.db_path:
        raise StoreError("STIGMEM_DB_PATH is empty; name the node's database in it, or with --db")
    if settings.storage_backend == "libsql":
        from stigmem_cursor_plugin.stores.libsql import LibSQLStore  # noqa: PLC0415

        return LibSQLStore()
    return SQLiteStore(settings.db_path, encrypted=settings.at_rest_encryption == "on")
