"""What several commands need: how the program was called, and what to ask a database."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace

from stigmem_cursor_plugin.core import recovery, witness
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.snapshot import Snapshot
from stigmem_cursor_plugin.host.settings import Settings
from stigmem_cursor_plugin.reports.program import Program
from stigmem_cursor_plugin.stores.base import Transaction
from stigmem_cursor_plugin.terminal import busy


def read_snapshot(
    transaction: Transaction, checkpoints: Sequence[Checkpoint], settings: Settings, database: str
) -> Snapshot:
    """Return what the *database* of a node with *settings* holds, as far as checkpoints ask."""
    asked = witness.questions(
        checkpoints,
        pull_interval=settings.pull_interval,
        pushes=settings.federation_push_enabled,
        relays=settings.federation_relay_enabled,
    )
    with busy("counting the facts that the database holds"):
        snapshot = transaction.read(asked)
        more = recovery.receipts_to_ask(checkpoints, snapshot)
        if more:
            snapshot = transaction.read(replace(asked, receipts={*asked.receipts, *more}))
    return replace(snapshot, database=database)


def program(arguments: Namespace) -> Program:
    """Return how the program was called, for the commands that messages name."""
    return Program(standalone=arguments.standalone, db=arguments.db)
