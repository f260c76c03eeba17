"""What opens a SQLite file: the standard library, or SQLCipher with the node's key."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stigmem_cursor_plugin.errors import StoreError
from stigmem_cursor_plugin.host.settings import host_settings
from stigmem_cursor_plugin.stores.base import LOCK_TIMEOUT

KEY_SETTINGS = "STIGMEM_AT_REST_KEY_PASSPHRASE_ENV or STIGMEM_AT_REST_KEY_KMS_URI"


@dataclass(frozen=True, slots=True)
class Driver:
    """A module with the interface of :mod:`sqlite3`, and the file's key in hexadecimal."""

    module: Any
    key: str = ""

    def connect(self, path: Path, options: str) -> sqlite3.Connection:
        """Open *path* with the options of a SQLite URI; transactions are left to the caller."""
        # as_uri() escapes: an unescaped # or ? would open another, empty file.
        uri = f"{path.absolute().as_uri()}?{options}"
        connection: sqlite3.Connection = self.module.connect(
            uri, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None
        )
        if self.key:
            # SQLCipher would write about a wrong key to standard error itself.
            connection.execute("PRAGMA cipher_log_level = NONE")
            connection.execute(f"PRAGMA key = \"x'{self.key}'\"")
        return connection


PLAIN = Driver(sqlite3)


def sqlcipher(name: str) -> Driver:
    """Return what opens the encrypted file *name* as the host does (0.9.0a1 to 0.9.0a12).

    Not through the host's own connection: that sets the journal mode, which writes, and cannot
    open a file that must not be written. Raises :class:`StoreError` where the node's settings
    name no key, or the driver is not installed.
    """
    what = f"{name} is not a SQLite database, or it is encrypted; an encrypted one"
    settings = host_settings(what, "sqlcipher")
    if not (settings.at_rest_key_passphrase_env or settings.at_rest_key_kms_uri):
        raise StoreError(f"{what} needs the node's key, in {KEY_SETTINGS}")
    try:
        import sqlcipher3  # noqa: PLC0415  an extra of the host
        from stigmem_node.storage.encryption import load_key  # noqa: PLC0415  the host's

        return Driver(sqlcipher3, load_key(settings).hex())
    except ImportError as error:
        raise StoreError(
            f"{what} needs {error.name}, which is not installed; install 'stigmem-node[sqlcipher]'"
        ) from error
    except RuntimeError as error:
        raise StoreError(f"{name} is encrypted: {error}") from error
