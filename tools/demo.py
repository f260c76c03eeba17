"""The main job, for real: two nodes, facts, a checkpoint, two losses, the recovery.

Usage: python -m tools.demo

Every command is run as it is printed, and what follows it is its output.
"""

import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from stigmem_cursor_plugin.core.cost import PAGE, Repull
from stigmem_cursor_plugin.reports.formatting import duration
from tools.loopback import Node, caught_up, two_nodes, wait_for
from tools.stories import lose_the_facts, newest

BEFORE = 300
AFTER = 5
DEFAULT_INTERVAL = 30
"""Seconds between two pulls of a node, where nothing else is set; the nodes here have 1."""


def main() -> None:
    """Play the story and end with what each way took."""
    with tempfile.TemporaryDirectory(prefix="stigmem-demo-") as directory:
        say("Two stigmem nodes start on the loopback address, each with its own database.")
        with two_nodes(Path(directory)) as (a, b):
            play(a, b)


def play(a: Node, b: Node) -> None:
    """Lose node a's positions, and then its facts too; get both back."""
    say(f"{b.node_id} has {BEFORE} facts. {a.node_id} fetches them: {PAGE} each second.")
    b.add_facts({"entity": f"demo:{number}", "value_v": "v"} for number in range(BEFORE))
    by_the_loop = seconds(lambda: wait_until_caught_up(a, b))

    say("A checkpoint, as cron takes it every 15 minutes:")
    run(a, "stigmem federation cursor-export --out cursors-latest.json")

    a.stop()
    say("The node is stopped. Then its cursor table is lost:")
    run(a, "sqlite-utils drop-table stigmem.db replication_cursors")
    say(f"Meanwhile {b.node_id} gets {AFTER} more facts. Look first, then import:")
    b.post_facts(f"after-{number}" for number in range(AFTER))
    run(a, "stigmem federation cursor-import --dry-run cursors-latest.json")
    run(a, "stigmem federation cursor-import cursors-latest.json")
    say("The node starts, and goes on where it was.")
    fetched = resume(a, b)

    a.stop()
    say("The node is stopped again, and its facts are lost.")
    lose_the_facts(a, b)
    say("Import withholds the position: with it, the node would skip those facts for ever.")
    run(a, "stigmem federation cursor-import cursors-latest.json", status=3)
    say("So fetch them now:")
    caught = seconds(lambda: run(a, "stigmem federation cursor-catchup"))

    held, offered = len(a.facts_from(b)), len(b.own_facts())
    loop = duration(Repull(BEFORE, DEFAULT_INTERVAL).seconds)
    say(f"{a.node_id} holds {held} of the {offered} facts that are offered.")
    print(f"table lost, position imported: {fetched:>4} facts fetched")
    print(f"facts lost, cursor-catchup:    {offered:>4} facts in {caught:.1f} s")
    print(f"the node's loop, at the start: {BEFORE:>4} facts in {by_the_loop:.1f} s here,", end=" ")
    print(f"{loop} at the default of a pull every {DEFAULT_INTERVAL} s")


def resume(a: Node, b: Node) -> int:
    """Start node a, wait until it has caught up, and return how many facts it fetched."""
    offset = b.log.stat().st_size
    a.start()
    wait_until_caught_up(a, b)
    return sum(b.pulls_served(offset))


def wait_until_caught_up(a: Node, b: Node) -> None:
    """Wait until node a holds all that node b offers, and its position says so."""
    wait_for("the node to catch up", lambda: caught_up(a, b) and a.cursor(b) == newest(b))


def seconds(work: Callable[[], None]) -> float:
    """Do *work* and return how long it took."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def run(node: Node, command: str, status: int = 0) -> None:
    """Print a command, run it beside the node, and print its output."""
    print(f"$ {command}", flush=True)
    finished = subprocess.run(
        shlex.split(command),
        cwd=node.directory,
        env=node.environment,
        check=False,
        stderr=subprocess.STDOUT,
    )
    if finished.returncode != status:
        raise SystemExit(f"exit status {finished.returncode}, not {status}")


def say(text: str) -> None:
    """Print what happens next."""
    print(f"\n# {text}", flush=True)


if __name__ == "__main__":
    main()
