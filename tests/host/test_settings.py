"""The node's settings resolve as the host resolves them."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
from stigmem_node.settings import Settings as HostSettings

from stigmem_cursor_plugin.host.settings import read_settings
from tests.running import Run

ENVIRONMENTS: Mapping[str, dict[str, str]] = {
    "nothing": {},
    "variable": {"STIGMEM_DB_PATH": "/var/lib/stigmem/stigmem.db"},
    "lower case": {"stigmem_db_path": "lower.db"},
    "empty": {"STIGMEM_DB_PATH": ""},
    "backend": {"STIGMEM_STORAGE_BACKEND": "postgres", "STIGMEM_AT_REST_ENCRYPTION": "on"},
    "numbers": {"STIGMEM_PORT": " 9000 ", "STIGMEM_FEDERATION_PULL_INTERVAL_S": "5.0"},
    "pushes": {"STIGMEM_FEDERATION_PUSH_ENABLED": "Yes"},
    "relays": {"STIGMEM_FEDERATION_RELAY_ENABLED": "1"},
    "no pushes": {"STIGMEM_FEDERATION_PUSH_ENABLED": "OFF"},
    "address": {"STIGMEM_HOST": "::1", "STIGMEM_NODE_URL": "https://node-a.example"},
    "empty address": {"STIGMEM_HOST": "", "STIGMEM_NODE_URL": ""},
    "odd path": {"STIGMEM_DB_PATH": "a b#c?d%e.db"},
}
FILES = {
    "no file": None,
    "file": "STIGMEM_DB_PATH=from-file.db\nSTIGMEM_PORT=9001\n",
    "address": "STIGMEM_HOST=127.0.0.2\nSTIGMEM_NODE_URL='http://127.0.0.2:9002'\n",
    "certificate": (
        "STIGMEM_TLS_CERT_PATH=c.pem\nSTIGMEM_TLS_KEY_PATH=k.pem\nSTIGMEM_TLS_CA_BUNDLE=b.pem\n"
    ),
    "quotes and comments": "# a comment\nexport stigmem_db_path='with space.db' # another\n",
    "interpolated": "BASE=/data\nSTIGMEM_DB_PATH=${BASE}/stigmem.db\n",
    "no value": "STIGMEM_DB_PATH\nSTIGMEM_STORAGE_BACKEND=libsql\n",
}


@pytest.mark.parametrize("variables", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_as_the_host(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], text: str | None
) -> None:
    """From any environment and ``.env`` file, the same settings as the host's own class."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.upper().startswith("STIGMEM_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if text is not None:
        (tmp_path / ".env").write_text(text)
    ours, host = asdict(read_settings()), HostSettings()
    assert ours == {name: getattr(host, name) for name in ours}


@pytest.mark.parametrize(("given", "seconds"), [("7", 7), ("0", 0), ("-5", 0)])
def test_pull_interval(monkeypatch: pytest.MonkeyPatch, given: str, seconds: int) -> None:
    """The loop does not pause for less than no time."""
    monkeypatch.setenv("STIGMEM_FEDERATION_PULL_INTERVAL_S", given)
    assert read_settings().pull_interval == seconds


def test_number_that_is_none(run: Run) -> None:
    """A setting that the host would not take is one error line."""
    finished = run("stigmem-cursor", "export", STIGMEM_PORT="http")
    assert finished.returncode == 1
    assert finished.stderr == "error: STIGMEM_PORT is not a whole number: 'http'\n"


def test_encryption_that_is_neither(run: Run) -> None:
    """Encryption that is neither on nor off is one error line, as the host refuses to start."""
    finished = run("stigmem-cursor", "export", STIGMEM_AT_REST_ENCRYPTION="maybe")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: STIGMEM_AT_REST_ENCRYPTION is neither 'on' nor 'off': 'maybe'\n"
    )


def test_settings_that_the_host_refuses(run: Run) -> None:
    """What only the host's own class refuses is one line for each setting, without its value."""
    finished = run(
        *("stigmem-cursor", "export"),
        STIGMEM_STORAGE_BACKEND="postgres",
        STIGMEM_POSTGRES_POOL_MIN="s3cret",
        STIGMEM_POSTGRES_POOL_MAX="s3cret",
    )
    assert finished.returncode == 1
    reason = "Input should be a valid integer, unable to parse string as an integer"
    assert finished.stderr == (
        f"error: STIGMEM_POSTGRES_POOL_MIN: {reason}\nerror: STIGMEM_POSTGRES_POOL_MAX: {reason}\n"
    )
