"""What a node does before it pulls: its checks, its plugins, its keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from stigmem_cursor_plugin.errors import CursorError, HostError, StoreError
from stigmem_cursor_plugin.host.functions import CHECKS, Host
from stigmem_cursor_plugin.host.settings import Settings


@contextmanager
def settings_for_the_run(host: Host, settings: Settings) -> Iterator[None]:
    """Let the host read the database that *settings* name, and take facts of any age.

    A fact older than ``STIGMEM_FEDERATION_HLC_MAX_PAST_SKEW_S`` would stop a peer for ever.
    """
    wanted = {
        "db_path": settings.db_path,
        "storage_backend": settings.storage_backend,
        "at_rest_encryption": settings.at_rest_encryption,
        "federation_hlc_max_past_skew_s": 0,
    }
    before = {name: getattr(host.settings, name) for name in wanted if hasattr(host.settings, name)}
    try:
        for name in before:
            setattr(host.settings, name, wanted[name])
        yield
    finally:
        for name, value in before.items():
            setattr(host.settings, name, value)


def check_settings(host: Host) -> None:
    """Check what the node checks before it starts (``main.create_app``); change nothing.

    Raises :class:`HostError` for settings with which the node would not start, or not pull.
    """
    settings = host.settings
    if not settings.federation_enabled:
        raise HostError(
            "STIGMEM_FEDERATION_ENABLED is not true: with these settings the node pulls from "
            "nobody; run this with the environment of the node"
        )
    try:
        if host.main is not None:
            for name in CHECKS:
                getattr(host.main, name)()
    except RuntimeError as error:
        raise HostError(f"the node would not start with these settings: {error}") from error
    strict = getattr(settings, "trust_mode", "off") == "strict"
    if strict and not getattr(settings, "node_private_key", ""):
        raise HostError("STIGMEM_NODE_PRIVATE_KEY must be set when STIGMEM_TRUST_MODE=strict")


@contextmanager
def opening(host: Host) -> Iterator[None]:
    """Raise as a :class:`StoreError` why the host cannot open its database in this block."""
    try:
        yield
    except CursorError:
        raise
    except Exception as error:
        raise StoreError(
            f"{host.database_name()} cannot be used as the node uses it: {type(error).__name__}: "
            f"{error}; run this as the node's user, with its environment"
        ) from error


def make_client(host: Host) -> Any:
    """Return the client that the node pulls with; raises :class:`HostError` where it has none."""
    try:
        return host.pulling._make_pull_client()
    except Exception as error:
        raise HostError(
            f"the node could not pull with these settings: {type(error).__name__}: {error}; see "
            "STIGMEM_TLS_CERT_PATH, STIGMEM_TLS_KEY_PATH and STIGMEM_TLS_CA_BUNDLE"
        ) from error


def check_database(host: Host) -> None:
    """Check that the node has been started on this database, with this release.

    Catching up creates and migrates nothing. Raises :class:`StoreError` where it would have to.
    """
    with host.connection() as connection:
        # libSQL's results cannot be iterated over.
        versions = connection.execute("SELECT version FROM schema_migrations").fetchall()
        keys = connection.execute("SELECT key FROM node_meta").fetchall()
    applied, known = {row["version"] for row in versions}, {row["key"] for row in keys}
    directory: Path | None = getattr(host.database, "_MIGRATIONS_DIR", None)
    needed = {path.stem for path in directory.glob("*.sql")} if directory else set()
    keys_set = host.settings.federation_pubkey and host.settings.federation_privkey
    if needed - applied or "node_id" not in known:
        raise StoreError(
            "the database is not migrated to this release of stigmem-node; start the node once, "
            "stop it, then run this again"
        )
    if not keys_set and not {"federation_pubkey", "federation_privkey"} <= known:
        raise StoreError(
            "the database holds no federation keys, and STIGMEM_FEDERATION_PUBKEY and "
            "STIGMEM_FEDERATION_PRIVKEY are not set; run this with the environment of the node"
        )


def start_up(host: Host) -> None:
    """Do what a node does between its checks and its first pull: load plugins and keys.

    Raises :class:`HostError` for a plugin that does not load: its rules would be left out.
    """
    try:
        if host.plugins is not None:
            _load(host.plugins)
        host.init_federation_keys()
    except Exception as error:
        raise HostError(f"the node would not start: {type(error).__name__}: {error}") from error


@cache
def _load(plugins: ModuleType) -> None:
    """Load the node's plugins, once in a process."""
    plugins.register_discovered_plugins(freeze=False)
    plugins.get_registry().freeze()
