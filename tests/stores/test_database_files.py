"""Database files that are not plain SQLite: encrypted at rest, or kept by libSQL."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.builders import DONE, checkpoint, entry
from tests.nodes import KEY, SETTINGS, StoredNode, Stores
from tests.running import Run

PASSPHRASE = "correct horse battery staple"  # noqa: S105  a test's
ENCRYPTED = (
    "error: stigmem.db is not a SQLite database, or it is encrypted; an encrypted one needs the "
    "node's key, in STIGMEM_AT_REST_KEY_PASSPHRASE_ENV or STIGMEM_AT_REST_KEY_KMS_URI\n"
)


@pytest.fixture
def encrypted(stores: Stores, tmp_path: Path) -> StoredNode:
    """A node whose file is encrypted, with one peer, its position and a fact."""
    return _filled(stores.make("sqlcipher", tmp_path))


@pytest.fixture
def local(stores: Stores, tmp_path: Path) -> StoredNode:
    """A node whose file libSQL keeps, likewise."""
    return _filled(stores.make("libsql", tmp_path))


def _filled(node: StoredNode) -> StoredNode:
    node.database.set_cursor(node.database.add_peer("node-b"), "1725349500000.005")
    node.database.add_facts("node-b", 1)
    return node


def hashes(directory: Path) -> Mapping[str, str]:
    """Return what every file of a directory holds."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()
    }


@pytest.mark.parametrize(
    "variables",
    [
        {"STIGMEM_AT_REST_KEY_KMS_URI": "env://NODE_KEY", "NODE_KEY": KEY},
        {**SETTINGS["sqlcipher"], "STIGMEM_DB_PATH": "another.db"},
    ],
    ids=["key only", "all settings"],
)
def test_encrypted_file_by_name(
    encrypted: StoredNode, stigmem: Run, tmp_path: Path, variables: dict[str, str]
) -> None:
    """An encrypted file given with --db is opened with the key of the settings, and not changed."""
    before = hashes(tmp_path)
    assert stigmem("cursor-check", "--db", "stigmem.db", **variables).returncode == 0
    exported = stigmem("cursor-export", "--db", "stigmem.db", **variables)
    assert json.loads(exported.stdout)["cursors"][0]["cursor"] == "1725349500000.005"
    assert hashes(tmp_path) == before
    encrypted.database.run("DELETE FROM replication_cursors")
    given = checkpoint(entry("node-b"))
    imported = stigmem("cursor-import", "-", "--db", "stigmem.db", given=given, **variables)
    assert imported.stderr == DONE.format(1, 0, 0) + "\n"


def test_passphrase(stores: Stores, stigmem: Run, tmp_path: Path) -> None:
    """A key derived from a passphrase is the host's, and the passphrase is nowhere."""
    variables = {
        "STIGMEM_AT_REST_ENCRYPTION": "on",
        "STIGMEM_AT_REST_KEY_PASSPHRASE_ENV": "NODE_PASSPHRASE",
        "NODE_PASSPHRASE": PASSPHRASE,
    }
    made = stores.encrypted(tmp_path, variables)
    made.add_peer("node-b")
    finished = stigmem("cursor-check", **variables)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "stigmem://node-b" in finished.stdout


@pytest.mark.parametrize("command", ["cursor-export", "cursor-check", "cursor-import"])
def test_no_key(encrypted: StoredNode, stigmem: Run, tmp_path: Path, command: str) -> None:
    """Without a key an encrypted file is refused with the names of the settings."""
    before = hashes(tmp_path)
    files = ["-"] if command == "cursor-import" else []
    given = checkpoint(entry("node-b"))
    finished = stigmem(command, *files, "--db", "stigmem.db", given=given)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == ENCRYPTED
    assert hashes(tmp_path) == before


def test_wrong_key(encrypted: StoredNode, stigmem: Run, tmp_path: Path) -> None:
    """A key that does not fit is one error line, without the key."""
    variables = {**SETTINGS["sqlcipher"], "NODE_KEY": "f" * 64}
    before = hashes(tmp_path)
    finished = stigmem("cursor-export", **variables)
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: stigmem.db does not open with the key in STIGMEM_AT_REST_KEY_PASSPHRASE_ENV or "
        "STIGMEM_AT_REST_KEY_KMS_URI\n"
    )
    assert hashes(tmp_path) == before


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, ENCRYPTED),
        (
            {"STIGMEM_AT_REST_KEY_KMS_URI": "env://NODE_KEY"},
            "error: stigmem.db is encrypted: STIGMEM_AT_REST_KEY_KMS_URI references env var "
            "'NODE_KEY' which is not set or is empty.\n",
        ),
        (
            {"STIGMEM_AT_REST_KEY_KMS_URI": "env://NODE_KEY", "NODE_KEY": "s3cret"},
            "error: stigmem.db is encrypted: Env var 'NODE_KEY' (KMS URI) must contain a "
            "64-character hex-encoded 32-byte key. Check that the value is valid hex.\n",
        ),
    ],
    ids=["none", "not set", "not a key"],
)
def test_unusable_key(
    encrypted: StoredNode, stigmem: Run, variables: dict[str, str], said: str
) -> None:
    """A setting that leads to no key is named."""
    finished = stigmem("cursor-export", STIGMEM_AT_REST_ENCRYPTION="on", **variables)
    assert (finished.returncode, finished.stderr) == (1, said)


def test_not_encrypted(stores: Stores, stigmem: Run, tmp_path: Path) -> None:
    """A plain file where the settings say encrypted is not the node's, and is said."""
    stores.make("sqlite", tmp_path)
    finished = stigmem("cursor-export", **SETTINGS["sqlcipher"])
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: stigmem.db is not encrypted, though STIGMEM_AT_REST_ENCRYPTION is on; name the "
        "node's database with --db or STIGMEM_DB_PATH\n"
    )


@pytest.mark.parametrize("kind", ["sqlite", "sqlcipher", "libsql"])
def test_no_file_appears(stigmem: Run, tmp_path: Path, kind: str) -> None:
    """A database that is not there stays away, whatever would open it."""
    given = checkpoint(entry("node-b"))
    for command in (("cursor-export",), ("cursor-check",), ("cursor-import", "-")):
        finished = stigmem(*command, given=given, **SETTINGS[kind])
        assert finished.returncode == 1
        assert finished.stderr == (
            "error: no database at stigmem.db; name the node's with --db or STIGMEM_DB_PATH\n"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["sqlite", "sqlcipher", "libsql"])
def test_reading_changes_nothing(stores: Stores, stigmem: Run, tmp_path: Path, kind: str) -> None:
    """Export, check and a dry run leave the file and its folder as they were."""
    node = stores.make(kind, tmp_path)
    node.database.set_cursor(node.database.add_peer("node-b"), "1.0")
    before = hashes(tmp_path)
    given = checkpoint(entry("node-b", "2.0"))
    for command in (
        ("cursor-export",),
        ("cursor-check",),
        ("cursor-import", "-", "--dry-run", "--force"),
    ):
        assert stigmem(*command, given=given, **node.environment).returncode == 0
    assert hashes(tmp_path) == before


REPLICA = {
    **SETTINGS["libsql"],
    "STIGMEM_LIBSQL_URL": "http://127.0.0.1:1/?authToken=s3cret",
    "STIGMEM_LIBSQL_AUTH_TOKEN": "s3cret",
}


@pytest.mark.parametrize("options", [(), ("--db", "stigmem.db"), ("--db", "./link.db")])
def test_replica_out_of_reach(
    local: StoredNode, stigmem: Run, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """A replica is only opened through its own connection, also when --db names its file."""
    (tmp_path / "link.db").symlink_to("stigmem.db")
    before = hashes(tmp_path)
    given = checkpoint(entry("node-b", "2.0"))
    for command in (("cursor-export",), ("cursor-import", "-", "--force")):
        finished = stigmem(*command, *options, given=given, **REPLICA)
        assert finished.returncode == 1
        assert finished.stderr == (
            "error: stigmem.db is a replica, and the database at STIGMEM_LIBSQL_URL cannot be "
            "reached or refuses STIGMEM_LIBSQL_AUTH_TOKEN; check both\n"
        )
    assert hashes(tmp_path) == before


@pytest.mark.parametrize("suffix", ["-client_wal_index", "-info"])
def test_replica_without_its_settings(
    local: StoredNode, stigmem: Run, tmp_path: Path, suffix: str
) -> None:
    """The file of a replica whose settings are missing can be read, and is not written."""
    shutil.copy(tmp_path / "stigmem.db", tmp_path / "backup.db")
    (tmp_path / f"backup.db{suffix}").write_bytes(b"libSQL's own")
    assert stigmem("cursor-export", "--db", "backup.db").returncode == 0
    before = hashes(tmp_path)
    given = checkpoint(entry("node-b", "2.0"))
    finished = stigmem("cursor-import", "-", "--force", "--db", "backup.db", given=given)
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: backup.db is the local file of a libSQL replica, to which only libSQL "
        "may write; import with the node's own settings (STIGMEM_LIBSQL_URL), without --db\n"
    )
    assert hashes(tmp_path) == before


def test_unknown_backend(stigmem: Run, tmp_path: Path) -> None:
    """A backend that no node has is refused; the host would make a local file."""
    finished = stigmem("cursor-export", STIGMEM_STORAGE_BACKEND="cassandra")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: STIGMEM_STORAGE_BACKEND is 'cassandra'; the storage backend of a node is "
        "'sqlite', 'libsql' or 'postgres'\n"
    )
    assert list(tmp_path.iterdir()) == []
