"""The command line of ``cursor-catchup``."""

from argparse import ArgumentParser, ArgumentTypeError

from stigmem_cursor_plugin.commands.definitions.base import (
    Command,
    add_assume_stopped_argument,
    add_database_argument,
    add_json_argument,
)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise ArgumentTypeError(f"is not a number of seconds from 0 to 3600: {text!r}")
    return seconds


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of ``cursor-catchup``."""
    parser.add_argument(
        "peers",
        metavar="PEER",
        nargs="*",
        help="node id or peer id of a peer (default: every peer that is not revoked or rejected)",
    )
    parser.add_argument(
        "--pause",
        metavar="SECONDS",
        type=_seconds,
        default=0.0,
        help="wait between pages, to spare a peer that is in use (default: 0)",
    )
    parser.add_argument(
        "--skip-refused",
        action="store_true",
        help="skip facts that the node cannot store, or cannot verify now; the node never fetches "
        "them again (default: stop that peer at the first one)",
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="run while the node runs, in short pages, so that the node can write in between; "
        "not on a node that relays",
    )
    add_json_argument(parser)
    add_assume_stopped_argument(parser)
    add_database_argument(parser)


COMMAND = Command(
    name="cursor-catchup",
    summary="fetch what is missing from every peer now, without the pauses of the pull loop",
    description=(
        "Fetch every fact that the peers offer after the positions in the database, page after "
        "page. The node's own code stores them, so every rule of the node applies. A page "
        "and its position are stored together: you can stop the command at any time, and run it "
        "again to go on. It takes facts of any age, whatever "
        "STIGMEM_FEDERATION_HLC_MAX_PAST_SKEW_S says. Stop the node first, or give --live."
    ),
    examples=(
        ("After a loss, once the positions were imported:", "{prog}"),
        ("From one peer that is in use, gently:", "{prog} --pause 1 stigmem://node-b"),
        ("Beside the running node:", "{prog} --live"),
    ),
    exit_status=(
        (0, "done: every peer is caught up"),
        (1, "failed or refused; what was stored before stays"),
        (2, "usage error"),
        (3, "done, but at least one peer is not caught up"),
    ),
    add_arguments=add_arguments,
)
