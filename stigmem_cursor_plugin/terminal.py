"""Results on standard output; lines for a person on standard error, harmless for a terminal."""

import errno
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from stigmem_cursor_plugin.access import why
from stigmem_cursor_plugin.errors import OutputError

STANDARD_STREAM = "-"
"""What stands for standard input or output on a command line."""


def title_of(name: str) -> str:
    """Return what messages call an input that the command line names."""
    return "standard input" if name == STANDARD_STREAM else name


MOST_LINES = 20
"""Lines of one kind that are shown; the others are counted."""


def printable(text: str) -> str:
    r"""Return *text* with what a terminal could act on written as ``\x1b``-style escapes.

    Names and addresses come from files and databases that other people can write to, so
    control characters, bidirectional overrides and lone surrogates never reach the terminal.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "backslashreplace").decode("ascii")
        for character in text
    )


def width_of_output() -> int | None:
    """Return how wide the terminal is that standard output goes to, None where it is none."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    import shutil  # noqa: PLC0415  not needed in a pipe

    return shutil.get_terminal_size().columns


def need_output() -> None:
    """Raise :class:`OutputError` where standard output is closed."""
    if sys.stdout is None:
        raise OutputError("cannot write to standard output: it is closed")


def write_result(text: str) -> None:
    """Write what a program reads to standard output, with a newline at the end.

    What the output's encoding lacks becomes backslash escapes. Raises :class:`OutputError` where
    it cannot be written, :class:`BrokenPipeError` where its reader has gone.
    """
    need_output()
    try:
        _write(sys.stdout, text if text.endswith("\n") else f"{text}\n")
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up(sys.stdout)
        raise OutputError(f"cannot write to standard output: {why(error)}") from error


def _write(stream: TextIO, text: str) -> None:
    if not hasattr(stream, "buffer"):
        # Whoever runs a command inside another program has put a text stream in its place.
        stream.write(text)
        return
    stream.flush()
    # In pieces: not every kernel fails one large write whose reader goes away half way. And all
    # of each: with PYTHONUNBUFFERED Python's own streams pass over what a full disk did not take.
    rest = memoryview(_encoded(text, stream.encoding))
    while rest:
        written = stream.buffer.write(rest[:_PIECE])
        if not written:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        rest = rest[written:]
    stream.flush()


_PIECE = 1 << 16


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding, "backslashreplace")
    except UnicodeError:  # PYTHONIOENCODING may name one that knows no such escapes
        return text.encode("ascii", "backslashreplace")


def give_up(stream: TextIO | None) -> None:
    """Have Python drop what it could not write; it would try, and complain, again at its end."""
    if stream is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def say(text: str) -> None:
    """Write *text* to standard error as it is; without one, or where it is full, do nothing.

    A command does what it was told to even where nobody hears about it.
    """
    if sys.stderr is None:
        return
    try:
        _write(sys.stderr, text)
    except OSError:
        give_up(sys.stderr)


def tell(line: str) -> None:
    """Write one line to standard error, with what is absurdly long in it cut short."""
    text = _LONG_WORD.sub(lambda word: f"{word[0][:100]}…{word[0][-50:]}", printable(line))
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]}…"
    say(f"{_coloured(text) if _takes_colour() else text}\n")


def is_watched() -> bool:
    """Tell whether standard error is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def _takes_colour() -> bool:
    """Tell whether to colour what is written (https://no-color.org)."""
    return is_watched() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _coloured(line: str) -> str:
    kind, colon, rest = line.partition(":")
    colour = _COLOURS.get(kind)
    return f"\x1b[{colour}m{kind}:\x1b[0m{rest}" if colour and colon else line


_COLOURS = {"error": "1;31", "warning": "1;33", "info": "36"}


_LONG_WORD = re.compile(r"\S{300,}")
_MOST_CHARACTERS = 1_500


def tell_error(message: str) -> None:
    """Write one error line."""
    tell(f"error: {message}")


def tell_warning(message: str) -> None:
    """Write one warning line."""
    tell(f"warning: {message}")


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Say on a terminal what takes long, once it has taken a second; say nothing in a pipe."""
    if not is_watched():
        yield
        return
    from threading import Timer  # noqa: PLC0415  not needed in a pipe

    said: list[str] = []

    def begin() -> None:
        said.append(f"{what} …")
        say(said[0])

    timer = Timer(SHOWN_AFTER, begin)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        for line in said:
            say(f"\r{' ' * len(line)}\r")


SHOWN_AFTER = 1.0
"""Seconds before progress is shown."""


def tell_some(lines: Sequence[str], total: int) -> None:
    """Write the first few of *total* lines of one kind, and how many more there are."""
    for line in lines:
        tell(line)
    if total > len(lines):
        kind = lines[0].split(":", 1)[0]
        tell(f"{kind}: {_more(total - len(lines))}")


def shortened(lines: Sequence[str]) -> Sequence[str]:
    """Return the first few of many lines and a last one that counts the rest."""
    if len(lines) <= MOST_LINES:
        return lines
    return [*lines[:MOST_LINES], _more(len(lines) - MOST_LINES)]


def _more(number: int) -> str:
    return f"… and {number:,} more like these"
