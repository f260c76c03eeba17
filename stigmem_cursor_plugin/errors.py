"""The errors that a command ends with, each saying what went wrong and what to do next."""

from collections.abc import Sequence


class CursorError(Exception):
    """Base of every error this package raises on purpose; becomes an exit status in one place.

    ``messages`` holds one line for each thing that is wrong. A line names the thing and,
    where there is a next step, ends with it.
    """

    exit_status = 1

    def __init__(self, *messages: str) -> None:
        """Take one message or more, without the leading ``error:``."""
        super().__init__("\n".join(messages))
        self.messages: Sequence[str] = messages


class UsageError(CursorError):
    """The arguments do not go together."""

    exit_status = 2


class CheckpointError(CursorError):
    """A checkpoint cannot be read, is not valid, or must not be used here."""


class StoreError(CursorError):
    """The database cannot be opened, read or written, or is not a node's."""


class HostError(CursorError):
    """The node's settings cannot be used, or the node is in the way."""


class OutputError(CursorError):
    """Standard output cannot be written."""


class RefusedError(CursorError):
    """A file was not written or removed, or something was lost: the messages say which."""
