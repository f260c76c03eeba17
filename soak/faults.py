"""What goes wrong, done to a real node. For what loses something the node must be down."""

import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import NamedTuple

from soak.schedule import Fault
from soak.site import Site
from tools.stories import lose_the_facts


class Scene(NamedTuple):
    """Where it happens: a site, the others, and the chance that decides the rest."""

    site: Site
    others: Sequence[Site]
    random: Random


def inflict(scene: Scene, faults: Sequence[Fault]) -> None:
    """Do all of it."""
    for fault in faults:
        try:
            _DEEDS.get(fault, _leave_it)(scene)
        except sqlite3.OperationalError:
            # The host's commands do not create a lost table again: nothing is left to lose.
            if scene.site.plugin:
                raise


def _leave_it(_: Scene) -> None:
    """Leave it to who recovers the node."""


def _kill(scene: Scene) -> None:
    scene.site.stop(signal.SIGKILL)
    time.sleep(scene.random.uniform(0, 4))
    scene.site.start()


def _pause(scene: Scene) -> None:
    with scene.site.power:
        if not scene.site.node.is_running:
            return
        scene.site.node.signal(signal.SIGSTOP)
        time.sleep(scene.random.uniform(2, 8))
        scene.site.node.signal(signal.SIGCONT)


def _drop_table(scene: Scene) -> None:
    scene.site.node.query("DROP TABLE IF EXISTS replication_cursors")


def _empty_table(scene: Scene) -> None:
    scene.site.node.query("DELETE FROM replication_cursors")


def _delete_row(scene: Scene) -> None:
    scene.site.node.query("DELETE FROM replication_cursors WHERE peer_id = ?", [_a_position(scene)])


def _move_back(scene: Scene) -> None:
    scene.site.node.query(
        "UPDATE replication_cursors SET cursor = '1700000000000.0' WHERE peer_id = ?",
        [_a_position(scene)],
    )


def _a_position(scene: Scene) -> str:
    """Choose the position of a peer that is there."""
    there = {other.node.node_id for other in scene.others if not other.gone}
    rows = scene.site.node.query(
        "SELECT peer_id, node_id FROM replication_cursors JOIN peers ON peers.id = peer_id"
        " WHERE cursor IS NOT NULL ORDER BY node_id"
    )
    found = [str(peer) for peer, node_id in rows if node_id in there]
    return scene.random.choice(found) if found else ""


def _lose_facts(scene: Scene) -> None:
    lose_the_facts(scene.site.node, scene.site.node)


def lose_database(site: Site) -> None:
    """Remove the database and what SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{site.node.database}{suffix}").unlink(missing_ok=True)


def _lose_everything(scene: Scene) -> None:
    lose_database(scene.site)
    for backup in scene.site.backups:
        backup.unlink(missing_ok=True)


def _restore_older(scene: Scene) -> None:
    backups = scene.site.backups
    if backups:
        lose_database(scene.site)
        shutil.copy(backups[-1], scene.site.node.database)


def _revoke(scene: Scene) -> None:
    site = scene.site
    others = [other for other in scene.others if not other.gone]
    node_id = scene.random.choice(others).node.node_id
    # Not while the node runs: its loop rejects the rest of a page whose peer is revoked meanwhile,
    # and moves past it for ever (0.9.0a12; seen here: three facts).
    for status, seconds in (("revoked", scene.random.uniform(3, 10)), ("active", 0)):
        site.stop()
        site.node.query("UPDATE peers SET status = ? WHERE node_id = ?", [status, node_id])
        site.start()
        time.sleep(seconds)


def _remove_peer(scene: Scene) -> None:
    peer_id = _a_position(scene)
    scene.site.node.query("DELETE FROM replication_cursors WHERE peer_id = ?", [peer_id])
    scene.site.node.query("DELETE FROM peers WHERE id = ?", [peer_id])


def _beside_the_node(scene: Scene) -> None:
    """Try to change the database of a running node: both commands must refuse."""
    site = scene.site
    site.start()
    commands = [("cursor-import", "--force", str(site.file)), ("cursor-catchup",)]
    for command in commands if site.plugin else commands[:1]:
        run = site.run(*command)
        if site.plugin and run.status != 1:
            site.journal.problem(site.name, f"{command[0]} beside the node ended with {run.status}")


def _kill_export(scene: Scene) -> None:
    for target in scene.site.targets:
        scene.site.export(target, kill_after=scene.random.uniform(0.05, 1))


def _fill_disk(scene: Scene) -> None:
    filler = scene.site.disk / "filler"
    try:
        with filler.open("wb") as file:
            while True:
                file.write(bytes(4096))
                file.flush()
    except OSError:
        time.sleep(scene.random.uniform(6, 12))
    finally:
        filler.unlink(missing_ok=True)


def _make_read_only(scene: Scene) -> None:
    scene.site.remount("ro")
    time.sleep(scene.random.uniform(6, 12))
    scene.site.remount("rw")


def _lose_directory(scene: Scene) -> None:
    for file in scene.site.checkpoints.iterdir():
        file.unlink(missing_ok=True)


def _tear_checkpoint(scene: Scene) -> None:
    files = sorted(scene.site.checkpoints.glob("cursors-*.json"))
    if files:
        files[-1].write_bytes(files[-1].read_bytes()[:100])
        scene.site.torn.add(files[-1].name)


def _mix_in(scene: Scene) -> None:
    for file in sorted(scene.random.choice(scene.others).checkpoints.glob("cursors-*.json"))[-2:]:
        name = f"staging-{file.name}"
        with suppress(FileNotFoundError):  # pruned meanwhile
            shutil.copy(file, scene.site.checkpoints / name)
            scene.site.torn.add(name)


def _tear_backup(scene: Scene) -> None:
    for backup in scene.site.backups[:1]:
        backup.write_bytes(backup.read_bytes()[:10_000])


_DEEDS: dict[Fault, Callable[[Scene], None]] = {
    Fault.KILLED: _kill,
    Fault.PAUSED: _pause,
    Fault.TABLE_DROPPED: _drop_table,
    Fault.TABLE_EMPTIED: _empty_table,
    Fault.ROW_DELETED: _delete_row,
    Fault.MOVED_BACK: _move_back,
    Fault.FACTS_LOST: _lose_facts,
    Fault.DATABASE_LOST: lambda scene: lose_database(scene.site),
    Fault.EVERYTHING_LOST: _lose_everything,
    Fault.BACKUP_RESTORED: _restore_older,
    Fault.REGISTERED_AGAIN: _remove_peer,
    Fault.REVOKED: _revoke,
    Fault.BESIDE_THE_NODE: _beside_the_node,
    Fault.EXPORT_KILLED: _kill_export,
    Fault.DISK_FULL: _fill_disk,
    Fault.READ_ONLY: _make_read_only,
    Fault.DIRECTORY_LOST: _lose_directory,
    Fault.DIRECTORY_TORN: _tear_checkpoint,
    Fault.DIRECTORY_MIXED: _mix_in,
    Fault.BACKUP_TORN: _tear_backup,
}
