"""The main job, for real: two nodes, facts, a checkpoint, the loss, the recovery.

Usage: python -m tools.demo

Every command is run as it is printed, and what follows it is its output.
"""

import shlex
import subprocess
import tempfile
from pathlib import Path

from tools.loopback import Node, caught_up, two_nodes, wait_for

BEFORE = 120
AFTER = 5


def main() -> None:
    """Play the story and end with what it cost."""
    with tempfile.TemporaryDirectory(prefix="stigmem-demo-") as directory:
        say("Two stigmem nodes start on the loopback address, each with its own database.")
        with two_nodes(Path(directory)) as (a, b):
            play(a, b)


def play(a: Node, b: Node) -> None:
    """Lose and recover node a's cursors, then lose them again and do nothing about it."""
    say(f"{BEFORE} facts are asserted at {b.node_id}; {a.node_id} pulls them.")
    b.post_facts(f"before-{number}" for number in range(BEFORE))
    wait_for("the first facts to federate", lambda: caught_up(a, b))

    say("A checkpoint, as cron takes it every 15 minutes:")
    run(a, "stigmem federation cursor-export --out cursors-latest.json")

    say("Step 1 of the runbook: the node is stopped. Then its cursor table is lost:")
    a.stop()
    run(a, "sqlite-utils drop-table stigmem.db replication_cursors")
    say(f"Meanwhile {AFTER} more facts are asserted at {b.node_id}.")
    b.post_facts(f"after-{number}" for number in range(AFTER))

    say("Step 4: look first, then import.")
    run(a, "stigmem federation cursor-import --dry-run cursors-latest.json")
    run(a, "stigmem federation cursor-import cursors-latest.json")

    say("Step 5: the node starts, and resumes.")
    facts, pages = resume(a, b)

    say("The positions are lost again, and this time nothing is imported:")
    a.stop()
    run(a, "sqlite-utils query stigmem.db 'DELETE FROM replication_cursors'")
    all_facts, all_pages = resume(a, b)

    offered = len(b.own_facts())
    print()
    print(f"{a.node_id} holds {len(a.facts_from(b))} of the {offered} facts that are offered.")
    print(f"fetched with the checkpoint:     {facts:>5} facts, {pages} page(s)")
    print(f"fetched without the checkpoint:  {all_facts:>5} facts, {all_pages} page(s)")


def resume(a: Node, b: Node) -> tuple[int, int]:
    """Start node a, wait until it has caught up, and return the facts and pages it fetched."""
    offset = b.log.stat().st_size
    newest = b.query("SELECT MAX(hlc) FROM facts WHERE received_from IS NULL")[0][0]
    a.start()
    wait_for("the node to catch up", lambda: caught_up(a, b) and a.cursor(b) == newest)
    pulls = [facts for facts in b.pulls_served(offset) if facts]
    return sum(pulls), len(pulls)


def run(node: Node, command: str) -> None:
    """Print a command, run it beside the node, and print its output."""
    print(f"$ {command}", flush=True)
    subprocess.run(
        shlex.split(command),
        cwd=node.directory,
        env=node.environment,
        check=True,
        stderr=subprocess.STDOUT,
    )


def say(text: str) -> None:
    """Print what happens next."""
    print(f"\n# {text}", flush=True)


if __name__ == "__main__":
    main()
