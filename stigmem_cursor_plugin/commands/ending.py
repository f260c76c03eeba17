"""How a command ends: the one place where errors become an exit status, and lines to read."""

import os
import signal
import sys
from collections.abc import Callable

from stigmem_cursor_plugin.access import why
from stigmem_cursor_plugin.errors import CursorError
from stigmem_cursor_plugin.terminal import give_up, say, shortened, tell_error

DEBUG = "STIGMEM_CURSOR_DEBUG"


def status_of(work: Callable[[], int]) -> int:
    """Do *work* and return its exit status, or that of the error that ended it.

    A traceback never reaches a user, unless ``STIGMEM_CURSOR_DEBUG=1`` asks for it.
    """
    _occupy_closed_descriptors()
    try:
        return work()
    except CursorError as error:
        for message in shortened(error.messages):
            tell_error(message)
        return error.exit_status
    except BrokenPipeError:
        # The reader has gone; Python would complain again when it closes standard output.
        give_up(sys.stdout)
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:  # noqa: BLE001  what nobody thought of
        _tell_unexpected(error)
        return 1


def _occupy_closed_descriptors() -> None:
    """Open /dev/null for each of stdin, stdout and stderr that is closed.

    Otherwise a database could get that number, and messages would be written into it. Each is
    opened so that its use still fails.
    """
    for number, useless in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_RDONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, useless)  # the lowest number that is free is this one


def _tell_unexpected(error: Exception) -> None:
    if os.environ.get(DEBUG) == "1":
        import traceback  # noqa: PLC0415  only where it is asked for

        say("".join(traceback.format_exception(error)))
    place = error.filename if isinstance(error, OSError) else None
    words = [type(error).__name__, *(str(part) for part in (place, why(error)) if part)]
    tell_error(f"unexpected {': '.join(words)}; {DEBUG}=1 shows where it comes from")
