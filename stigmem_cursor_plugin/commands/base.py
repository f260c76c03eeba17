"""What several commands need: how the program was called, and what to ask a database."""

from argparse import Namespace
from collections.abc import Iterable

from stigmem_cursor_plugin.core import witness
from stigmem_cursor_plugin.core.checkpoint import Checkpoint
from stigmem_cursor_plugin.core.snapshot import Questions
from stigmem_cursor_plugin.host.settings import Settings
from stigmem_cursor_plugin.reports.program import Program


def questions(checkpoints: Iterable[Checkpoint], settings: Settings) -> Questions:
    """Return what a database must be asked about these checkpoints, of a node with *settings*."""
    return witness.questions(
        checkpoints,
        pull_interval=settings.pull_interval,
        pushes=settings.federation_push_enabled,
        relays=settings.federation_relay_enabled,
    )


def program(arguments: Namespace) -> Program:
    """Return how the program was called, for the commands that messages name."""
    return Program(standalone=arguments.standalone, db=arguments.db)
