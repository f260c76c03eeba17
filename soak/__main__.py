"""Play a soak, and say what it came to.

Usage: python -m soak [--seconds N] [--seed N] [--relays] [--host] [--record] [--keep DIR]
"""

import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from soak import picture, report, results
from soak.journal import Journal
from soak.striking import Soak, play


def main() -> int:
    """Play it; exit status 1 if a fact is missing or something else is wrong."""
    arguments = _parser().parse_args()
    soak = Soak(arguments.seed, arguments.seconds, arguments.relays, not arguments.host)
    with tempfile.TemporaryDirectory(prefix="stigmem-soak-") as temporary:
        directory = arguments.keep or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        journal, judgement = play(soak, directory)
    record = results.record(soak, journal, judgement)
    print(report.summary(record))
    if arguments.record:
        report.write(results.keep(record))
        _draw(soak, journal)
    bad = record.missing or record.twice or record.problems
    return 1 if soak.plugin and bad else 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m soak", description="Four real nodes under fire.")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long faults come")
    parser.add_argument("--seed", type=int, default=1, help="decides the faults")
    parser.add_argument("--relays", action="store_true", help="all relay; one leaves for good")
    parser.add_argument("--host", action="store_true", help="use the host's own commands")
    parser.add_argument("--record", action="store_true", help="write docs/soak.md and its picture")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what the nodes left in DIR")
    return parser


def _draw(soak: Soak, journal: Journal) -> None:
    if soak.plugin:
        title = f"Four nodes{' that relay' if soak.relays else ''}, seed {soak.seed}"
        picture.draw(report.picture_of(soak.relays), journal, soak.seconds, title)


if __name__ == "__main__":
    sys.exit(main())
