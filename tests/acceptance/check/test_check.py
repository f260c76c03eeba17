"""``cursor-check`` as a user sees it."""

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest

from stigmem_cursor_plugin.checkpoints import schema
from tests.builders import ago, checkpoint, entry, position, received, timestamp
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
        "error: peer stigmem://node-b (inbound): 12 facts received, but no position; "
        "stop the node and run `stigmem federation cursor-import FILE`\n"
    )


def test_missing_table(node: Database, stigmem: Run) -> None:
    """A missing table makes the database unfit, and the peers are shown all the same."""
    node.run("DROP TABLE replication_cursors")
    finished = stigmem("cursor-check")
    assert finished.returncode == 1
    assert finished.stdout.count("none") == 2
    assert finished.stderr == (
        "error: stigmem.db: the table replication_cursors is missing; stop the node and run "
        "`stigmem federation cursor-import FILE`\n"
    )


def test_files_alone(stigmem: Run, tmp_path: Path) -> None:
    """Files are checked without any database; an invalid one is an error, the rest is shown."""
    taken = ago(hours=3)
    (tmp_path / "good.json").write_text(
        checkpoint(entry("node-b"), entry("node-c", None), checkpoint_timestamp=timestamp(taken))
    )
    (tmp_path / "bad.json").write_text("{}")
    finished = stigmem("cursor-check", "bad.json", "good.json")
    assert finished.returncode == 1
    assert finished.stdout == (
        f"good.json: valid, 1 position(s), taken {timestamp(taken)} (3 h ago)\n"
    )
    assert finished.stderr == (
        "error: bad.json: checkpoint_timestamp: missing\nerror: bad.json: cursors: missing\n"
    )


def test_nothing_valid_shows_nothing(stigmem: Run) -> None:
    """When no file is valid, standard output stays empty."""
    finished = stigmem("cursor-check", "-", given="{")
    assert (finished.returncode, finished.stdout) == (1, "")


def test_max_age(stigmem: Run, tmp_path: Path) -> None:
    """``--max-age`` fails a stale file; of a directory only the newest counts."""
    directory = tmp_path / "backup"
    directory.mkdir()
    for name, moment in (("old", ago(hours=3)), ("new", ago(minutes=10))):
        text = checkpoint(entry("node-b"), checkpoint_timestamp=timestamp(moment))
        (directory / f"{name}.json").write_text(text)
    assert stigmem("cursor-check", "--max-age", "30m", "backup").returncode == 0
    finished = stigmem("cursor-check", "--max-age", "30m", "backup/old.json")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: backup/old.json: 3 h old, more than 30 min; is cursor-export still scheduled?\n"
    )


def test_dated_in_the_future(stigmem: Run, tmp_path: Path) -> None:
    """A checkpoint from the future says so, and is not fresh."""
    (tmp_path / "c.json").write_text(
        checkpoint(entry("node-b"), checkpoint_timestamp="9999-12-31T23:59:59-23:59")
    )
    finished = stigmem("cursor-check", "--max-age", "1h", "c.json")
    assert finished.returncode == 1
    assert "days in the future)" in finished.stdout
    assert finished.stderr == (
        "error: c.json: dated in the future (9999-12-31T23:59:59-23:59); is a clock wrong?\n"
    )


def test_escapes_keep_the_columns(database: Database, stigmem: Run) -> None:
    """A node id that holds control characters is shown harmless, and the columns stay aligned."""
    database.add_peer("\x1b[31m")
    database.add_peer("node-b")
    lines = stigmem("cursor-check").stdout.splitlines()
    assert lines[1].startswith("stigmem://\\x1b[31m  inbound")
    assert len({line.index("inbound") for line in lines[1:]}) == 1


@pytest.mark.parametrize("text", ["30", "m", "-5m", "1w", "1.5h", ""])
def test_max_age_that_is_none(stigmem: Run, text: str) -> None:
    """What is no duration is a usage error that shows what one is."""
    finished = stigmem("cursor-check", f"--max-age={text}", "c.json")
    assert finished.returncode == 2
    assert f"{text!r} is not a duration such as 90s, 30m, 24h or 7d" in finished.stderr


def test_checkpoint_against_a_database(database: Database, stigmem: Run, tmp_path: Path) -> None:
    """With both, the table shows what import would do and how far the database is ahead."""
    taken = ago(hours=1).replace(microsecond=0)
    database.add_facts("node-b", 2)
    database.set_cursor(database.add_peer("node-b"), position(taken + timedelta(minutes=5)))
    database.add_peer("node-c")
    database.add_facts("node-c", 2)
    database.add_peer("node-d")
    (tmp_path / "c.json").write_text(
        checkpoint(
            entry("node-b", position(taken)),
            entry("node-c", position(taken), **received(2, "node-c-1")),
            entry("node-d", position(taken), **received(7, "node-d-6")),
            entry("node-e", None),
            checkpoint_timestamp=timestamp(taken),
        )
    )
    finished = stigmem("cursor-check", "--db", "stigmem.db", "c.json")
    time = timestamp(taken)
    assert finished.stdout == (
        f"c.json: valid, 3 position(s), taken {time} (60 min ago)\n"
        "PEER              DIRECTION  CHECKPOINT            DATABASE     IMPORT\n"
        f"stigmem://node-b  inbound    {time}  5 min ahead  already set\n"
        f"stigmem://node-c  inbound    {time}  none         restored\n"
        f"stigmem://node-d  inbound    {time}  none         facts missing\n"
        "stigmem://node-e  inbound    none                  none         no position\n"
    )
    assert finished.stderr == (
        "error: peer stigmem://node-c (inbound): 2 facts received, but no position; "
        "stop the node and run `stigmem federation cursor-import --db stigmem.db FILE`\n"
        "error: peer stigmem://node-d (inbound): import would withhold it, "
        "7 facts are missing; `stigmem federation cursor-catchup --db stigmem.db` fetches them\n"
    )
    assert finished.returncode == 1


def test_foreign_checkpoint(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """Another node's checkpoint is unfit for this database."""
    (tmp_path / "c.json").write_text(checkpoint(entry("node-b"), node_id="stigmem://node-x"))
    finished = stigmem("cursor-check", "--db", "stigmem.db", "c.json")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: c.json is the checkpoint of node stigmem://node-x, and this database is that of "
        "stigmem://node-a\n"
    )


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
        "error: peer stigmem://node-b (inbound): 3 facts received, but no position; "
        f"stop the node and run `stigmem federation cursor-import --db {with_log} FILE`\n"
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


def test_json_is_as_its_schema_says(
    node: Database, stigmem: Run, make_database: Callable[[str], Database]
) -> None:
    """Every kind of result is valid against the schema of its command."""
    stigmem("cursor-export", "--out", "c.json")
    make_database("empty.db").add_peer("node-b")
    cases = (
        ("check", ()),
        ("check", ("c.json", "none.json")),
        ("check", ("c.json", "--db", "stigmem.db")),
        ("check", ("c.json", "--db", "empty.db")),
        ("import", ("c.json",)),
        ("import", ("c.json", "--db", "empty.db", "--dry-run")),
        ("import", ("c.json", "--db", "empty.db", "--force", "--accept-loss")),
        ("import", ("c.json", "--force")),
    )
    for command, arguments in cases:
        finished = stigmem(f"cursor-{command}", "--json", *arguments)
        document = json.loads(finished.stdout)
        jsonschema.Draft202012Validator(
            schema.load(f"cursor-{command}-result.schema.json")
        ).validate(document)
        if command == "check":
            assert document["fit"] is (finished.returncode == 0)
            assert finished.stderr == ""
