"""``cursor-check`` of a database alone: the table of its peers, and what makes it unfit."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders import ago, position, timestamp
from tests.database import Database
from tests.running import BIN, CAN_MOUNT, Run, environment_for


def test_table_of_a_database(database: Database, stigmem: Run) -> None:
    """Positions are shown as times, with their age and what losing them would cost."""
    recent = ago(minutes=5)
    database.set_cursor(database.add_peer("node-b"), position(recent))
    database.add_facts("node-b", 1234)
    database.set_cursor(database.add_peer("node-c", status="revoked"), "opaque", "outbound")
    finished = stigmem("cursor-check")
    assert finished.stderr == ""
    assert finished.stdout == (
        "PEER                        DIRECTION  POSITION              AGE    FACTS  RE-PULL  "
        "CATCH-UP\n"
        f"stigmem://node-b            inbound    {timestamp(recent)}  5 min  1,234  6 min    2 s\n"
        "stigmem://node-c (revoked)  inbound    none                  -      0      0 s      0 s\n"
        "stigmem://node-c (revoked)  outbound   opaque                -      0      0 s      0 s\n"
    )
    assert finished.returncode == 0


@pytest.mark.skipif(shutil.which("script") is None, reason="no script(1) on this machine")
def test_fits_a_terminal(database: Database, tmp_path: Path) -> None:
    """On a terminal of 80 columns no line is longer, and every peer can be told apart."""
    for number in range(12):
        peer_id = database.add_peer(f"node-{number}.eu-west-1.federation.example.org")
        database.set_cursor(peer_id, position(ago(days=3)))
    finished = subprocess.run(
        ["script", "-qec", "stigmem federation cursor-check", "/dev/null"],
        cwd=tmp_path,
        env=environment_for(BIN),
        check=True,
        capture_output=True,
        text=True,
    )
    lines = finished.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert len({line.split()[0] for line in lines[1:]}) == 12
    assert lines[1].startswith("node-0.eu-we…  inbound")


def test_lost_position(database: Database, stigmem: Run) -> None:
    """An active peer that sent facts and has no position makes the database unfit."""
    database.add_peer("node-b")
    database.add_facts("node-b", 12)
    database.add_peer("node-c", status="revoked")
    database.add_facts("node-c", 12)
    finished = stigmem("cursor-check")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: peer stigmem://node-b (inbound): 12 fact(s) received, but no position; "
        "stop the node and run `stigmem federation cursor-import FILE`, or without a checkpoint "
        "`stigmem federation cursor-catchup`\n"
    )


def test_missing_table(node: Database, stigmem: Run) -> None:
    """A missing table makes the database unfit, and the peers are shown all the same."""
    node.run("DROP TABLE replication_cursors")
    finished = stigmem("cursor-check")
    assert finished.returncode == 1
    assert finished.stdout.count("none") == 2
    assert finished.stderr == (
        "error: stigmem.db: the table replication_cursors is missing; stop the node and run "
        "`stigmem federation cursor-import FILE`, or without a checkpoint "
        "`stigmem federation cursor-catchup`\n"
    )


def test_escapes_keep_the_columns(database: Database, stigmem: Run) -> None:
    """A node id that holds control characters is shown harmless, and the columns stay aligned."""
    database.add_peer("\x1b[31m")
    database.add_peer("node-b")
    lines = stigmem("cursor-check").stdout.splitlines()
    assert lines[1].startswith("stigmem://\\x1b[31m  inbound")
    assert len({line.index("inbound") for line in lines[1:]}) == 1


COPY_WITH_LOG = """
import shutil, sqlite3, sys
source, target = sys.argv[1:]
connection = sqlite3.connect(source, isolation_level=None)
connection.execute("UPDATE replication_cursors SET cursor = NULL WHERE peer_id = 'id-of-node-b'")
shutil.copy(source, target)
shutil.copy(f"{source}-wal", f"{target}-wal")
"""
CHECK_READ_ONLY = """
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 99
stigmem federation cursor-check --db "$1/clean.db"
stigmem federation cursor-check --db "$1/with-log.db"
"""


@pytest.mark.skipif(not CAN_MOUNT, reason="mount namespaces are not allowed here")
def test_read_only_media(node: Database, tmp_path: Path) -> None:
    """A backup on a read-only file system is checked, and an uncheckpointed log is read too."""
    media = tmp_path / "media"
    media.mkdir()
    shutil.copy(node.path, media / "clean.db")
    with_log = media / "with-log.db"
    subprocess.run([BIN / "python", "-c", COPY_WITH_LOG, node.path, with_log], check=True)
    before = {path.name: path.read_bytes() for path in media.iterdir()}
    finished = subprocess.run(
        ["unshare", "-m", "sh", "-c", CHECK_READ_ONLY, "sh", media],
        env=environment_for(BIN),
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.stderr == (
        "error: peer stigmem://node-b (inbound): 3 fact(s) received, but no position; "
        f"stop the node and run `stigmem federation cursor-import --db {with_log} FILE`, or "
        f"without a checkpoint `stigmem federation cursor-catchup --db {with_log}`\n"
    )
    assert finished.stdout.count("2024-09-03T07:45:00Z") == 3
    assert {path.name: path.read_bytes() for path in media.iterdir()} == before


def test_database_in_use(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """A database that another process is writing to is checked as that process last left it."""
    script = (
        "import sqlite3, sys\n"
        "c = sqlite3.connect('stigmem.db', isolation_level=None)\n"
        "c.execute(\"UPDATE replication_cursors SET cursor = '1725349800000.0'\")\n"
        "c.execute('BEGIN IMMEDIATE'); c.execute('DELETE FROM replication_cursors')\n"
        "print('ready', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [BIN / "python", "-c", script], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        finished = stigmem("cursor-check")
        writer.communicate()
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("2024-09-03T07:50:00Z") == 2
