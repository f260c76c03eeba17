"""What the node itself could not work with: one line that says what, and nothing is touched."""

import pytest

from tests.another_user import only_root, open_to_others, run_as_nobody
from tests.federation import ANY_AGE, Federation, without_seconds

pytestmark = pytest.mark.slow

WHOSE = "; run this as the node's user, with its environment\n"
KEYS = "check its row in the table peers, and this node's federation keys"


@pytest.mark.parametrize("table", ["node_meta", "schema_migrations"])
def test_missing_table(nodes: Federation, table: str) -> None:
    """A database without one of the node's own tables is named."""
    nodes.a.query(f"DROP TABLE {table}")
    finished = nodes.catch_up()
    assert finished.returncode == 1
    assert finished.stderr == (
        f"error: {nodes.a.database} cannot be used as the node uses it: OperationalError: no such "
        f"table: {table}{WHOSE}"
    )


def test_missing_extension(nodes: Federation) -> None:
    """So is one that the node opens with what is not installed here."""
    finished = nodes.catch_up(STIGMEM_EMBED_ENABLED="true")
    assert finished.returncode == 1
    assert finished.stderr.startswith(
        f"error: {nodes.a.database} cannot be used as the node uses it: RuntimeError: sqlite-vec "
    )
    assert finished.stderr.endswith(WHOSE)


@only_root
def test_read_only(nodes: Federation) -> None:
    """So is one that the user may read and not write."""
    open_to_others(nodes.a.directory)
    # In WAL mode, SQLite's words depend on which of its files are there.
    nodes.a.query("PRAGMA journal_mode = DELETE")
    nodes.a.database.chmod(0o644)
    command = ("stigmem-cursor", "catchup")
    finished = run_as_nobody(nodes.a.directory, *command, **nodes.a.environment)
    assert finished.returncode == 1
    assert finished.stderr == (
        f"error: {nodes.a.database} cannot be used as the node uses it: OperationalError: attempt "
        f"to write a readonly database{WHOSE}"
    )


def test_node_that_would_not_start(nodes: Federation) -> None:
    """Settings with which the node itself would not start are an error that says why."""
    finished = nodes.catch_up(STIGMEM_FEDERATION_INSECURE="0")
    assert finished.returncode == 1
    assert finished.stderr.startswith(
        "error: the node would not start with these settings: Federation requires mTLS"
    )


def test_missing_certificate(nodes: Federation) -> None:
    """Certificates that are not there are an error that names the settings."""
    paths = ("STIGMEM_TLS_CERT_PATH", "STIGMEM_TLS_KEY_PATH", "STIGMEM_TLS_CA_BUNDLE")
    finished = nodes.catch_up(**dict.fromkeys(paths, "/nonexistent/file.pem"))
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: the node could not pull with these settings: FileNotFoundError: [Errno 2] No such "
        "file or directory; see STIGMEM_TLS_CERT_PATH, STIGMEM_TLS_KEY_PATH and "
        "STIGMEM_TLS_CA_BUNDLE\n"
    )


def test_malformed_key(nodes: Federation) -> None:
    """With a federation key that is none, each peer is left with the reason."""
    finished = nodes.catch_up(STIGMEM_FEDERATION_PRIVKEY="abc")
    assert finished.returncode == 3
    assert without_seconds(finished.stderr) == (
        f"{ANY_AGE}"
        "warning: peer stigmem://node-b: not caught up: this node cannot ask it: ValueError: An "
        f"Ed25519 private key is 32 bytes long; {KEYS}\n"
        "catch-up incomplete: 0 of 1 peer(s) caught up, 0 fact(s) fetched, 0 already held, in N s\n"
    )


def test_malformed_row(nodes: Federation) -> None:
    """A peer whose row is malformed is left with the reason."""
    nodes.a.query("UPDATE peers SET allowed_scopes = 'public'")
    finished = nodes.catch_up()
    assert finished.returncode == 3
    assert (
        "warning: peer stigmem://node-b: not caught up: this node cannot ask it: JSONDecodeError: "
        f"Expecting value: line 1 column 1 (char 0); {KEYS}\n" in finished.stderr
    )


def test_relaying_node(nodes: Federation) -> None:
    """A node that relays is refused --live: nodes that pull from it would skip older facts."""
    finished = nodes.catch_up("--live", STIGMEM_FEDERATION_RELAY_ENABLED="true")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: this node relays facts (STIGMEM_FEDERATION_RELAY_ENABLED): nodes that pull from "
        "it would skip the older facts that --live stores; stop the node, then run this without "
        "--live\n"
    )
    assert nodes.check_position() == 0
