"""The host's functions that pulling needs.

Their names are those of stigmem-node 0.9.0a1 to 0.9.0a12. A host that lacks one is refused
before anything is touched: without it a fact might be stored with a check left out.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module, metadata
from types import ModuleType
from typing import Any

from stigmem_cursor_plugin.errors import HostError
from stigmem_cursor_plugin.host.settings import host_settings

WORKING_RELEASES = "0.9.0a1 to 0.9.0a12"

CHECKS = (
    "_enforce_federation_transport_security",
    "_enforce_auth_required_in_production",
    "_enforce_rate_limit_kill_switch_ack",
)
"""What a node checks of its settings before it starts, in ``stigmem_node.main``."""

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
    "stigmem_node.main": CHECKS,
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
