"""Where a node keeps its peers, cursors and facts."""

from stigmem_cursor_plugin.errors import StoreError
from stigmem_cursor_plugin.host import Settings
from stigmem_cursor_plugin.stores.base import Store
from stigmem_cursor_plugin.stores.sqlite import SQLiteStore


def open_store(settings: Settings) -> Store:
    """Return the store that the node's settings name; nothing is opened or created yet.

    Raises :class:`StoreError` for a backend that this package cannot use: it never falls back
    to a local file.
    """
    if settings.storage_backend != "sqlite":
        raise StoreError(
            f"the node's storage backend is {settings.storage_backend!r} "
            "(STIGMEM_STORAGE_BACKEND), and this version supports only 'sqlite'"
        )
    if settings.at_rest_encryption == "on":
        raise StoreError(
            "the node's database is encrypted (STIGMEM_AT_REST_ENCRYPTION=on), "
            "which this version does not support"
        )
    if not settings.db_path:
        raise StoreError("STIGMEM_DB_PATH is empty; name the node's database in it, or with --db")
    return SQLiteStore(settings.db_path)
