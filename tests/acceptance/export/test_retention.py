"""``cursor-export`` never destroys the last good copy of a position."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders import checkpoint, entry
from tests.database import Database
from tests.running import Run

RECOVER = "stop the node and run `stigmem federation cursor-import {}`"


@pytest.fixture
def exported(node: Database, stigmem: Run, tmp_path: Path) -> bytes:
    """A good checkpoint of both peers in ``c.json``."""
    assert stigmem("cursor-export", "--out", "c.json").returncode == 0
    return (tmp_path / "c.json").read_bytes()


def test_lost_position_keeps_the_file(
    node: Database, exported: bytes, stigmem: Run, tmp_path: Path
) -> None:
    """When a position is gone, FILE is kept, and cron has a reason to write a mail."""
    node.run("DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'")
    finished = stigmem("cursor-export", "--out", "c.json")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        "error: peer stigmem://node-b (inbound) has no position; it was 2024-09-03T07:45:00Z\n"
        "error: kept c.json: it holds what this database has lost; --force replaces it\n"
        f"error: {RECOVER.format('c.json')}\n"
    )
    assert (tmp_path / "c.json").read_bytes() == exported


def test_a_damaged_checkpoint_in_a_directory(exported: bytes, stigmem: Run, tmp_path: Path) -> None:
    """One that cannot be compared with is named, and the good one before it is compared with."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "cursors-20260502T170000Z.json").write_bytes(exported)
    damaged = "kept/cursors-20260502T180000Z.json"
    (tmp_path / damaged).write_bytes(exported.replace(b'"active",', b'"active",,', 1))
    finished = stigmem("cursor-export", "--out", "kept", "--keep", "1")
    assert finished.returncode == 0
    assert finished.stderr.splitlines()[0] == (
        f"warning: passed over: {damaged}: not JSON: Expecting property name enclosed in double "
        "quotes (line 9 column 31)"
    )
    assert sorted(path.name for path in (tmp_path / "kept").iterdir())[0] == damaged[5:]


def test_each_node_keeps_its_own(exported: bytes, stigmem: Run, tmp_path: Path) -> None:
    """In a directory that two nodes share, ``--keep`` counts the checkpoints of each node alone."""
    kept = tmp_path / "kept"
    kept.mkdir()
    for day in (1, 2, 3):
        (kept / f"cursors-2020010{day}T000000Z.json").write_bytes(exported)
    other = checkpoint(entry("node-b"), node_id="stigmem://node-x")
    (kept / "cursors-20200103T120000Z.json").write_text(other)
    assert stigmem("cursor-export", "--out", "kept", "--keep", "3").returncode == 0
    left = sorted(path.name for path in kept.iterdir())
    assert left[:-1] == [
        f"cursors-202001{moment}0000Z.json" for moment in ("02T00", "03T00", "03T12")
    ]
    assert len(left) == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("1725349500000.10", "1725349500000.11"),
        lambda text: text.replace('"format_version": 1', '"format_version": 2'),
        lambda text: "\ufeff" + text,
        lambda text: text.replace('"active",', '"active",,', 1),
        lambda text: json.dumps(json.loads(text))[:-1] + ",}",
        lambda text: text + text,
        lambda text: text + "written by cron\n",
        lambda text: text.replace("http", "\udcfc"),
        lambda text: text.replace('"cursor": "1725349500000.005"', '"other": "1"'),
    ],
    ids=[
        *("digest", "version", "bom", "comma", "comma in one line", "twice", "a line", "not UTF-8"),
        "an entry without a position",
    ],
)
def test_a_damaged_file_with_positions_is_kept(
    exported: bytes, stigmem: Run, tmp_path: Path, damage: Callable[[str], str]
) -> None:
    """A FILE that is not valid but could be mended is replaced with ``--force`` only."""
    damaged = damage(exported.decode())
    assert damaged != exported.decode()
    given = damaged.encode("utf-8", "surrogateescape")
    (tmp_path / "c.json").write_bytes(given)
    finished = stigmem("cursor-export", "--out", "c.json")
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1] == (
        "error: kept c.json: it holds positions; repair it or move it away; --force replaces it"
    )
    assert (tmp_path / "c.json").read_bytes() == given
    assert stigmem("cursor-export", "--out", "c.json", "--force").returncode == 0


def test_a_checkpoint_from_the_future_shows_a_loss(
    node: Database, stigmem: Run, tmp_path: Path
) -> None:
    """While its clock was wrong, a node may have written the only checkpoint with its facts."""
    assert stigmem("cursor-export", "--out", ".").returncode == 0
    (written,) = tmp_path.glob("cursors-*.json")
    ahead = tmp_path / "cursors-29990101T000000Z.json"
    written.rename(ahead)
    node.run("UPDATE replication_cursors SET cursor = '1725349400000.0'")
    for _ in range(2):
        assert stigmem("cursor-export", "--out", ".", "--keep", "1").returncode == 1
    assert ahead.exists()


def test_position_that_fell_back_keeps_the_file(
    node: Database, exported: bytes, stigmem: Run, tmp_path: Path
) -> None:
    """A node that fetches everything again has positions, but earlier ones: FILE is kept."""
    node.set_cursor("id-of-node-b", "1725349400000.0")
    finished = stigmem("cursor-export", "--out", "c.json")
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[0] == (
        "error: peer stigmem://node-b (inbound) is back at 2024-09-03T07:43:20Z; "
        "it was 2024-09-03T07:45:00Z"
    )
    assert (tmp_path / "c.json").read_bytes() == exported


@pytest.mark.parametrize("drop", [True, False], ids=["table", "rows"])
def test_nothing_left_keeps_the_file(
    node: Database, exported: bytes, stigmem: Run, tmp_path: Path, drop: bool
) -> None:
    """When every position is gone, FILE is kept."""
    node.run("DROP TABLE replication_cursors" if drop else "DELETE FROM replication_cursors")
    assert stigmem("cursor-export", "--out", "c.json").returncode == 1
    assert (tmp_path / "c.json").read_bytes() == exported


def test_another_nodes_file_is_kept(
    node: Database, exported: bytes, stigmem: Run, tmp_path: Path
) -> None:
    """FILE is kept if it is the checkpoint of another node."""
    node.run("UPDATE node_meta SET value = 'stigmem://node-x' WHERE key = 'node_id'")
    finished = stigmem("cursor-export", "--out", "c.json")
    assert finished.returncode == 1
    assert finished.stderr == (
        "error: c.json is the checkpoint of node stigmem://node-a, and this database is that of "
        "stigmem://node-x; nothing was written; name another file, or --force to replace it\n"
    )
    assert (tmp_path / "c.json").read_bytes() == exported


def test_force_replaces_it(node: Database, exported: bytes, stigmem: Run, tmp_path: Path) -> None:
    """``--force`` writes anyway."""
    node.run("DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'")
    assert stigmem("cursor-export", "--out", "c.json", "--force").returncode == 0
    assert (tmp_path / "c.json").read_bytes() != exported


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM peers WHERE id = 'id-of-node-b'",
        "UPDATE replication_cursors SET cursor = '1725349500000.11'",
        "UPDATE replication_cursors SET cursor = 'of another kind'",
        "UPDATE peers SET status = 'revoked'",
    ],
    ids=["peer removed", "moved on", "opaque", "revoked"],
)
def test_no_false_alarm(node: Database, exported: bytes, stigmem: Run, change: str) -> None:
    """What an operator or the node does every day does not keep FILE from being replaced."""
    if "DELETE FROM peers" in change:
        node.run("DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'")
    node.run(change)
    finished = stigmem("cursor-export", "--out", "c.json")
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr.startswith("checkpoint written: c.json (")


def test_torn_checkpoint_is_replaced(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """A checkpoint of which only the beginning was written holds nothing to lose."""
    (tmp_path / "c.json").write_text('{\n  "checkpoint_timestamp": "20')
    assert stigmem("cursor-export", "--out", "c.json").returncode == 0
    assert json.loads((tmp_path / "c.json").read_text())["node_id"] == "stigmem://node-a"


def names(directory: Path) -> list[str]:
    """Return the names in a directory, sorted."""
    return sorted(path.name for path in directory.iterdir())


def old_checkpoint(directory: Path, day: int, text: bytes) -> str:
    """Put a checkpoint under the name of a day and return the name."""
    name = f"cursors-202605{day:02}T183000Z.json"
    (directory / name).write_bytes(text)
    return name


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """An empty directory."""
    directory = tmp_path / "backup"
    directory.mkdir()
    return directory


def test_directory(node: Database, stigmem: Run, backup: Path) -> None:
    """``--out DIR`` writes a file named by the time."""
    finished = stigmem("cursor-export", "--out", "backup")
    assert finished.returncode == 0
    (name,) = names(backup)
    assert re.fullmatch(r"cursors-\d{8}T\d{6}Z\.json", name)
    assert finished.stderr == f"checkpoint written: backup/{name} (2 cursor(s))\n"


def test_two_in_one_second(node: Database, stigmem: Run, backup: Path) -> None:
    """Exports in one second do not collide, and their names sort in the order of writing."""
    written = [
        stigmem("cursor-export", "--out", "backup/").stderr.split()[2].removeprefix("backup/")
        for _ in range(8)
    ]
    assert names(backup) == written
    assert len(set(written)) == 8


def test_names_of_a_second_are_not_used_again(
    node: Database, stigmem: Run, tmp_path: Path, backup: Path
) -> None:
    """What ``--keep`` removes leaves no gap that a newer checkpoint takes: it would sort before."""
    for _ in range(6):
        written = stigmem("cursor-export", "--out", "backup/", "--keep", "2").stderr.split()[2]
        assert names(backup)[-1] == Path(written).name
    assert len(names(backup)) == 2


def test_keep(node: Database, exported: bytes, stigmem: Run, backup: Path) -> None:
    """``--keep N`` leaves the N newest, and every file that is not this node's checkpoint."""
    days = [old_checkpoint(backup, day, exported) for day in range(1, 6)]
    other = exported.replace(b"node-a", b"node-x")
    document = json.loads(other)
    del document["digest"]
    foreign = old_checkpoint(backup, 6, json.dumps(document).encode())
    hosts = old_checkpoint(
        backup, 7, re.sub(rb',\n  "format_version.*\n}', b"\n}", exported, flags=re.S)
    )
    invalid = old_checkpoint(backup, 8, exported[:100])
    (backup / "notes.json").write_text("{}")
    finished = stigmem("cursor-export", "--out", "backup", "--keep", "3")
    assert finished.returncode == 0, finished.stderr
    written = finished.stderr.splitlines()[-1].split()[2].removeprefix("backup/")
    assert names(backup) == sorted([*days[-2:], foreign, hosts, invalid, "notes.json", written])


def test_nothing_is_removed_when_a_position_is_lost(
    node: Database, exported: bytes, stigmem: Run, backup: Path
) -> None:
    """In a directory a loss is written down too, but nothing is removed, time after time."""
    days = [old_checkpoint(backup, day, exported) for day in range(1, 4)]
    node.run("DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'")
    for time in (1, 2):
        finished = stigmem("cursor-export", "--out", "backup", "--keep", "1")
        assert finished.returncode == 1
        lines = finished.stderr.splitlines()
        assert lines[0].startswith("checkpoint written: backup/cursors-")
        assert lines[1:] == [
            "error: peer stigmem://node-b (inbound) has no position; it was 2024-09-03T07:45:00Z",
            "error: kept every checkpoint in backup: they hold what this database has lost; "
            "--force accepts the loss",
            f"error: {RECOVER.format('backup')}",
        ]
        assert len(names(backup)) == 3 + time
        assert set(days) <= set(names(backup))


def test_a_file_that_is_named_by_the_time(
    node: Database, exported: bytes, stigmem: Run, backup: Path
) -> None:
    """With a name such as export gives, a FILE is compared with the others of its directory."""
    day = old_checkpoint(backup, 1, exported)
    node.run("DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'")
    finished = stigmem("cursor-export", "--out", "backup/cursors-20260504T000000Z.json")
    assert (finished.returncode, names(backup)) == (1, [day])
    assert finished.stderr.splitlines() == [
        "error: peer stigmem://node-b (inbound) has no position; it was 2024-09-03T07:45:00Z",
        "error: kept every checkpoint in backup: they hold what this database has lost; --force "
        "accepts the loss",
        f"error: {RECOVER.format('backup')}",
    ]


def test_last_holder_of_a_lost_position_stays(
    node: Database, exported: bytes, stigmem: Run, backup: Path
) -> None:
    """Even with --force, the newest file that holds a lost position is never removed."""
    days = [old_checkpoint(backup, day, exported) for day in range(1, 4)]
    node.run("DELETE FROM replication_cursors WHERE peer_id = 'id-of-node-b'")
    finished = stigmem("cursor-export", "--out", "backup", "--keep", "1", "--force")
    assert finished.returncode == 0, finished.stderr
    written = finished.stderr.splitlines()[-1].split()[2].removeprefix("backup/")
    assert names(backup) == [days[-1], written]


def test_usage(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """``--keep`` needs a directory and a number; a directory that is not there is not made."""
    finished = stigmem("cursor-export", "--keep", "3")
    assert finished.returncode == 2
    assert finished.stderr == "error: --keep needs --out DIR, an existing directory\n"
    finished = stigmem("cursor-export", "--out", "none/", "--keep", "3")
    assert (finished.returncode, finished.stderr) == (
        2,
        "error: --keep needs --out DIR, an existing directory\n",
    )
    finished = stigmem("cursor-export", "--out", "none/")
    assert (finished.returncode, finished.stderr) == (1, "error: no directory none/\n")
    for number in ("0", "-1", "many"):
        finished = stigmem("cursor-export", "--out", ".", f"--keep={number}")
        assert finished.returncode == 2
        assert f"{number!r} is not a number of files, 1 or more" in finished.stderr
    assert names(tmp_path) == ["stigmem.db"]


@pytest.mark.parametrize("where", ["kept", "."])
def test_the_checkpoint_after_a_loss_is_not_replaced(
    node: Database, stigmem: Run, tmp_path: Path, where: str
) -> None:
    """What was written after a loss is compared with its directory, or kept where it has none."""
    (tmp_path / "kept").mkdir()
    assert stigmem("cursor-export", "--out", "kept").returncode == 0
    node.lose_fact()
    assert stigmem("cursor-export", "--out", "kept").returncode == 1
    after = max((tmp_path / "kept").iterdir())
    name = f"kept/{after.name}" if where == "kept" else "latest.json"
    (tmp_path / name).write_bytes(after.read_bytes())
    finished = stigmem("cursor-export", "--out", name)
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1 if where == "." else 0] == (
        "error: kept latest.json: it was written after a loss; name another file, or the directory "
        "of the checkpoints; --force replaces it"
        if where == "."
        else "error: peer stigmem://node-b (inbound) has lost 1 fact(s) up to its position "
        "2024-09-03T07:45:00Z"
    )
    assert (tmp_path / name).read_bytes() == after.read_bytes()


def test_an_undo_checkpoint_is_not_replaced(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """It is the only way back from an import."""
    given = checkpoint(entry("node-b", "1725349400000.0"))
    assert stigmem("cursor-import", "-", "--force", given=given).returncode == 0
    (undo,) = tmp_path.glob("*.undo-*.json")
    before = undo.read_bytes()
    finished = stigmem("cursor-export", "--out", undo.name)
    assert (finished.returncode, undo.read_bytes()) == (1, before)
    assert finished.stderr == (
        f"error: kept {undo.name}: it is the undo checkpoint of an import; name another file, or "
        "the directory of the checkpoints; --force replaces it\n"
    )
    assert stigmem("cursor-export", "--out", undo.name, "--force").returncode == 0


def test_peers_that_were_lost(node: Database, stigmem: Run, tmp_path: Path) -> None:
    """Positions of peers that are not registered are none: the last good checkpoint stays."""
    assert stigmem("cursor-export", "--out", "c.json").returncode == 0
    before = (tmp_path / "c.json").read_bytes()
    node.run("DELETE FROM peers")
    assert stigmem("cursor-export", "--out", "c.json").returncode == 1
    assert (tmp_path / "c.json").read_bytes() == before


@pytest.mark.parametrize(("day", "doubted"), [("2026-05-02", False), ("2026-05-03", True)])
def test_a_position_that_was_put_back_too_far(
    node: Database, stigmem: Run, tmp_path: Path, day: str, doubted: bool
) -> None:
    """A position that is back, and did not move with a page that is held, shows nothing.

    The host's own import puts a position back whatever facts are there.
    """
    (tmp_path / "kept").mkdir()
    assert stigmem("cursor-export", "--out", "kept").returncode == 0
    node.lose_fact()
    node.set_cursor("id-of-node-b", "1725349400000.0", at=day)
    finished = stigmem("cursor-export", "--out", "kept")
    assert finished.returncode == 1
    said = finished.stderr.splitlines()
    here = "2024-09-03T07:43:20Z"
    doubt = f", and nothing shows that the facts up to {here} are there" if doubted else ""
    assert said[1] == (
        f"error: peer stigmem://node-b (inbound) is back at {here}; it was "
        f"2024-09-03T07:45:00Z{doubt}"
    )
    first = "`stigmem federation cursor-import --force kept`, then " if doubted else ""
    assert said[3] == f"error: stop the node and run {first}`stigmem federation cursor-catchup`"
    newest = json.loads(max((tmp_path / "kept").iterdir()).read_text())
    assert (newest["cursors"][0]["cursor"] is None) is doubted
    assert stigmem("cursor-check", "kept", "--db", "stigmem.db").returncode == doubted
    assert stigmem("cursor-import", "kept", "--force", "--no-undo").returncode == 3 * doubted
    position = node.cursors()["id-of-node-b", "inbound"]
    assert position == (None if doubted else "1725349400000.0")
