"""An operator who brings a node back by ``docs/runbook.md``, from statuses and messages alone."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from soak import reading
from soak.backups import read_only
from soak.faults import lose_database
from soak.journal import Run
from soak.reading import Command, NotCaughtUp, Wanted
from soak.registering import NO_PULLS, PULL, is_there, register_again
from soak.schedule import Fault
from soak.site import EXPORT_EVERY, Site

ROUNDS = 20
"""How often an operator comes back to an alarm before it is taken to be without an end."""
TRIES = 15
"""How often a catch-up is run again for a fact whose origin does not answer."""
_ANSWERS = (Wanted.PEER, Wanted.PEER_OR_REVOKE)
_KILLS = {"cursor-import": Fault.IMPORT_KILLED, "cursor-catchup": Fault.CATCH_UP_KILLED}


@dataclass
class Operator:
    """Who recovers one site; ``faults`` may kill what is run, or run it twice at once."""

    site: Site
    others: Sequence[Site]
    faults: Sequence[Fault]
    random: Random
    steps: list[str] = field(default_factory=list)
    fetched: int = 0
    caught_up: bool = False
    """The last catch-up ended with every peer that is not gone."""

    hit: set[str] = field(default_factory=set)
    """Commands that were killed, or run twice at once, already."""

    def recover(self) -> None:
        """Stop the node, restore what is lost, start it, and see that the alarms end."""
        self._stop()
        said = self._run("cursor-check").said
        if reading.database_is_lost(said):
            self._restore_database()
        self._import()
        self._start()
        self.end_alarms()

    def register_again(self) -> None:
        """Register the peer that was removed."""
        if Fault.REGISTERED_AGAIN in self.faults:
            known = {row[0] for row in self.site.node.query("SELECT node_id FROM peers")}
            self._register({other.node.node_id for other in self.others} - known)

    def end_alarms(self) -> None:
        """Do what the alarms name, one alarm after the other, until there is none."""
        done: set[tuple[Command, ...]] = set()
        for _ in range(ROUNDS):
            alarms = self._alarms()
            if not alarms or self.site.gone:
                return
            # The first that names a command; none does where the disk is full.
            said = next((run.said for run in alarms if reading.commands(run.said)), "")
            named, given_up = reading.commands(said), reading.way_out(said)
            if given_up and self.caught_up and tuple(named) in done:
                self._all(given_up)
            elif named:
                self._await_peers()
                self._stop()
                self._all(named)
                self._start()
            else:
                time.sleep(EXPORT_EVERY)
            done.add(tuple(named))
        said = " | ".join(run.said.strip() for run in self._alarms())
        self.site.journal.problem(self.site.name, f"an alarm without an end: {said}")

    def _await_peers(self) -> None:
        """Wait until every peer answers, while this node answers them: catch-up needs them."""
        # Two operators must not act in step, each with its node stopped.
        time.sleep(self.random.uniform(0, 10))
        for other in self.others:
            is_there(other)

    def _alarms(self) -> list[Run]:
        """Return what fails now: the next exports of the schedule, and a check of the database."""
        runs = [*self.site.next_exports(), self._run("cursor-check")]
        return [run for run in runs if run.status != 0]

    # The steps of the runbook

    def _stop(self) -> None:
        self.site.stop()
        self.steps.append("stop")

    def _start(self) -> None:
        self.site.start()
        self.steps.append("start")

    def _restore_database(self) -> None:
        """Restore the newest backup that can be read; without one, make an empty database."""
        for backup in self.site.backups:
            if self._can_be_read(backup):
                lose_database(self.site)
                shutil.copy(backup, self.site.node.database)
                self.steps.append("restore backup")
                return
            backup.unlink(missing_ok=True)
        lose_database(self.site)
        self.site.node.prepare()
        self.steps.append("new database")
        self._register(other.node.node_id for other in self.others)

    def _can_be_read(self, backup: Path) -> bool:
        checked = self._run("cursor-check", "--db", str(backup))
        return not reading.database_is_lost(checked.said)

    def _register(self, node_ids: Iterable[str]) -> None:
        """Register peers again, each while it answers, and none that is gone for good."""
        wanted = {*node_ids}
        peers = [other for other in self.others if other.node.node_id in wanted and not other.gone]
        if not peers:
            return
        interval = self.site.node.settings[PULL]
        self.site.node.settings[PULL] = NO_PULLS
        self.site.start()
        for peer in peers:
            register_again(self.site, peer)
        self.site.stop()
        self.site.node.settings[PULL] = interval
        self.steps.append("register peers")

    def _import(self) -> None:
        directory = f"{self.site.checkpoints}/"
        run = self._run("cursor-import", directory)
        if reading.peers_not_found(run.said):
            self._register(reading.peers_not_found(run.said))
            run = self._run("cursor-import", directory)
        if run.status == 3 or reading.no_checkpoint(run.said):
            self._catch_up()

    def _all(self, named: Sequence[Command]) -> None:
        """Run the commands in their order."""
        for name, *arguments in named:
            if name == "cursor-catchup":
                self._catch_up()
            else:
                self._run(name, *arguments)

    def _catch_up(self) -> None:
        """Catch up with every peer that is not gone."""
        options: list[str] = []
        for _ in range(TRIES):
            run = self._run("cursor-catchup", *options)
            self.fetched += reading.went_through(run.said)
            left = [found for found in reading.not_caught_up(run.said) if not self._revoke(found)]
            self.caught_up = run.status == 0 or (run.status == 3 and not left)
            # A peer may be waiting for this node in its turn: start it, then come back.
            others = [found for found in left if found.wanted not in _ANSWERS]
            if self.caught_up or not others or self.site.gone:
                return
            if any(self._to_skip(found) for found in left):
                options = ["--skip-refused"]
            time.sleep(self.random.uniform(1, 3))

    def _revoke(self, found: NotCaughtUp) -> bool:
        """Revoke a peer that is gone for good, where that is asked for."""
        if found.wanted is not Wanted.PEER_OR_REVOKE or not self._gone(found.node):
            return False
        self.site.node.query("UPDATE peers SET status = 'revoked' WHERE node_id = ?", [found.node])
        self.steps.append("revoke peer")
        return True

    def _to_skip(self, found: NotCaughtUp) -> bool:
        return found.wanted is Wanted.SKIP or (
            found.wanted is Wanted.ORIGIN and self._gone(found.node)
        )

    def _gone(self, node_id: str) -> bool:
        return any(other.gone and other.node.node_id == node_id for other in self.others)

    # How commands are run

    def _run(self, *command: str) -> Run:
        name = command[0]
        self.steps.append(name)
        if name not in _KILLS or name in self.hit:
            return self._until_free(lambda: self.site.run(*command))
        self.hit.add(name)
        if _KILLS[name] in self.faults:
            self.site.run(*command, kill_after=self.random.uniform(0.2, 2))
        if Fault.TWO_OPERATORS in self.faults:
            return self._twice(*command)
        return self._until_free(lambda: self.site.run(*command))

    def _twice(self, *command: str) -> Run:
        """Have a second operator do the same at once; then do what it stopped."""
        with ThreadPoolExecutor(2) as pool:
            other = pool.submit(self.site.run, *command)
            run = self._until_free(lambda: self.site.run(*command))
            other.result()
        return run

    def _until_free(self, run: Callable[[], Run]) -> Run:
        """Run it again while somebody else holds the database."""
        for _ in range(TRIES):
            done = run()
            if done.status != 1 or "locked" not in done.said:
                return done
            time.sleep(self.random.uniform(0.5, 2))
        return done


class HostOperator(Operator):
    """Who has the host's own commands: one FILE, no check, no catch-up; knows what was lost."""

    def recover(self) -> None:
        """Stop the node, restore what is lost, import the FILE, start."""
        self._stop()
        if {Fault.DATABASE_LOST, Fault.EVERYTHING_LOST} & {*self.faults}:
            self._restore_database()
        self._run("cursor-import", str(self.site.file))
        self._start()

    def end_alarms(self) -> None:
        """Do nothing: the host's export has no alarm that names a command."""

    def _can_be_read(self, backup: Path) -> bool:
        # Where the database is lost, the host's export makes an empty one, which is backed up.
        try:
            with closing(read_only(backup)) as connection:
                whole = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
                return whole and connection.execute("SELECT 1 FROM peers").fetchone() is not None
        except sqlite3.Error:
            return False


def operator_of(
    site: Site, others: Sequence[Site], faults: Sequence[Fault], random: Random
) -> Operator:
    """Return who recovers a site with the commands that it has."""
    kind = Operator if site.plugin else HostOperator
    return kind(site, others, faults, random)
