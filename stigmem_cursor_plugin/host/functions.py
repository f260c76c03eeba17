"""The host's functions that pulling needs, and what a node does before it pulls.

Their names are those of stigmem-node 0.9.0a1 to 0.9.0a12. A host that lacks one is refused
before anything is touched: without it a fact might be stored with a check left out.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from stigmem_cursor_plugin.errors import CursorError, HostError, StoreError
from stigmem_cursor_plugin.host.settings import Settings, host_settings

WORKING_RELEASES = "0.9.0a1 to 0.9.0a12"

_NEEDED = {
    "stigmem_node.federation_pull": (
        "load_cursor",
        "save_cursor",
        "pull_from_peer_once",
        "create_peer_token",
        "ingest_fact",
        "logger",
        "_make_pull_client",
    ),
    "stigmem_node.db": ("db", "make_backend", "settings"),
    "stigmem_node.peer_token": ("init_federation_keys",),
}
_NEEDED_SINCE_A2 = {
    "stigmem_node.plugins": ("register_discovered_plugins", "get_registry"),
    "stigmem_node.main": (
        "_enforce_federation_transport_security",
        "_enforce_auth_required_in_production",
        "_enforce_rate_limit_kill_switch_ack",
    ),
}
_FIRST_RELEASE = "0.9.0a1"
"""It had neither plugins nor checks of its settings."""


@dataclass(frozen=True, slots=True)
class Host:
    """The host's functions, and its settings object, which they all read."""

    pulling: ModuleType
    database: ModuleType
    settings: Any
    init_federation_keys: Callable[[], object]
    main: ModuleType | None
    plugins: ModuleType | None

    def database_name(self) -> str:
        """Return what to call the database, with nothing secret in it."""
        on_server = self.settings.storage_backend == "postgres"
        return "PostgreSQL" if on_server else str(self.settings.db_path)

    def connection(self) -> AbstractContextManager[Any]:
        """Open a connection as the host does for one step."""
        found: AbstractContextManager[Any] = self.database.db()
        return found


def find_host() -> Host:
    """Return the functions of the host that is installed.

    Raises :class:`HostError` where it is not, or lacks one of them.
    """
    # For its errors: no host at all, or settings that it does not take.
    host_settings("catching up", "host")
    release = metadata.version("stigmem-node")
    first = release == _FIRST_RELEASE
    modules = {
        name: _module(name, functions, release)
        for name, functions in (_NEEDED if first else {**_NEEDED, **_NEEDED_SINCE_A2}).items()
    }
    return Host(
        pulling=modules["stigmem_node.federation_pull"],
        database=modules["stigmem_node.db"],
        settings=modules["stigmem_node.db"].settings,
        init_federation_keys=modules["stigmem_node.peer_token"].init_federation_keys,
        main=modules.get("stigmem_node.main"),
        plugins=modules.get("stigmem_node.plugins"),
    )


def _module(name: str, functions: tuple[str, ...], release: str) -> ModuleType:
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        raise _unknown_host(release, error.name or name) from error
    missing = [f"{name}.{function}" for function in functions if not hasattr(module, function)]
    if missing:
        raise _unknown_host(release, ", ".join(missing))
    return module


def _unknown_host(release: str, missing: str) -> HostError:
    return HostError(
        f"catch-up needs {missing}, and stigmem-node {release} does not have it; nothing was "
        f"fetched; use stigmem-node {WORKING_RELEASES}, or start the node: its own loop fetches "
        "the same facts"
    )


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
            for name in _NEEDED_SINCE_A2["stigmem_node.main"]:
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
        if host.plugins is not None and not _started:
            host.plugins.register_discovered_plugins(freeze=False)
            host.plugins.get_registry().freeze()
            _started.append(True)
        host.init_federation_keys()
    except Exception as error:
        raise HostError(f"the node would not start: {type(error).__name__}: {error}") from error


_started: list[bool] = []
"""Plugins are registered once in a process."""
