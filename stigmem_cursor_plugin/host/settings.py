"""The node's settings, as the host reads them."""

import os
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from stigmem_cursor_plugin.errors import HostError


@dataclass(frozen=True, slots=True)
class Settings:
    """The node's settings that matter here, with the host's defaults (0.9.0a1 to 0.9.0a12)."""

    db_path: str = "stigmem.db"
    storage_backend: str = "sqlite"
    at_rest_encryption: str = "off"
    host: str = "0.0.0.0"  # noqa: S104  the host's default
    port: int = 8765
    node_url: str = "http://localhost:8765"
    tls_cert_path: str = ""
    tls_key_path: str = ""
    federation_pull_interval_s: int = 30
    federation_push_enabled: bool = False
    federation_relay_enabled: bool = False

    @property
    def pull_interval(self) -> int:
        """Seconds between two pages of the pull loop; a negative setting is no pause either."""
        return max(0, self.federation_pull_interval_s)


def read_settings(db: str | None = None) -> Settings:
    """Return the node's settings as the host resolves them, from the environment and ``.env``.

    *db* is ``--db``: a path, which as in the host means a SQLite file there, unless it is the
    local file of the node's libSQL replica, which must not be written around it. The host's own
    settings class is not imported: that takes longer than all the rest of an export.

    Raises :class:`HostError` for a ``.env`` file that cannot be read, or a value that the host
    would not take.
    """
    values = {**_dotenv(), **_lower(os.environ)}
    given = {
        name: _value(name, default, values[f"stigmem_{name}"])
        for name, default in asdict(Settings()).items()
        if f"stigmem_{name}" in values
    }
    settings = Settings(**given)
    if settings.at_rest_encryption not in ("on", "off"):
        raise HostError(
            f"STIGMEM_AT_REST_ENCRYPTION is neither 'on' nor 'off': {settings.at_rest_encryption!r}"
        )
    if db is None or (settings.storage_backend == "libsql" and _same_file(db, settings.db_path)):
        return settings
    return replace(settings, db_path=db, storage_backend="sqlite", at_rest_encryption="off")


def host_settings(what: str, extra: str) -> Any:
    """Return the host's own settings object; *what* needs it, with the host's extra *extra*.

    Raises :class:`HostError` when the host is not installed or does not take its settings.
    """
    try:
        from stigmem_node.settings import Settings as HostSettings  # noqa: PLC0415  slow

        return HostSettings()
    except ImportError as error:
        raise HostError(
            f"{what} needs stigmem-node, which is not installed here; "
            f"install 'stigmem-node[{extra}]'"
        ) from error
    except ValueError as error:
        raise HostError(*_refusals(error)) from error


def _refusals(error: ValueError) -> list[str]:
    # Pydantic's own text quotes what was given, and that may be a secret.
    found = error.errors() if hasattr(error, "errors") else []
    lines = [f"STIGMEM_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in found]
    return lines or [f"stigmem-node does not take its settings: {error}"]


def _same_file(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except OSError:
        return False


def _lower(values: "os._Environ[str] | dict[str, str | None]") -> dict[str, str]:
    return {name.lower(): value for name, value in values.items() if value is not None}


def _dotenv() -> dict[str, str]:
    try:
        if not Path(".env").is_file():
            return {}
        from dotenv import dotenv_values  # noqa: PLC0415  only where there is such a file

        return _lower(dotenv_values(".env", encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HostError(
            f"cannot read .env in the working directory: {error}; run this as a user who can "
            "read it, or in another directory"
        ) from error


_FALSE = ("0", "off", "f", "false", "n", "no")


def _value(name: str, default: object, text: str) -> Any:
    """Return a setting's value, of the type of its default."""
    if isinstance(default, bool):
        # A word that is none of these stops the host; here the safe side is that it is on.
        return text.lower() not in _FALSE
    if not isinstance(default, int):
        return text
    try:
        # The host also takes a number with a point and noughts.
        return int(re.sub(r"\.0*$", "", text))
    except ValueError:
        raise HostError(f"STIGMEM_{name.upper()} is not a whole number: {text!r}") from None
