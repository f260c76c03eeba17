"""Results on standard output; lines for a person on standard error, harmless for a terminal."""

import re
import sys
from collections.abc import Sequence

MOST_LINES = 20


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


def write_result(text: str) -> None:
    """Write what a program reads to standard output, with a newline at the end."""
    # In pieces: not every kernel fails a large write whose reader goes away half way.
    for start in range(0, len(text), _PIECE):
        sys.stdout.write(text[start : start + _PIECE])
    if not text.endswith("\n"):
        sys.stdout.write("\n")


_PIECE = 1 << 16


def tell(line: str) -> None:
    """Write one line to standard error, with what is absurdly long in it cut short."""
    text = _LONG_WORD.sub(lambda word: f"{word[0][:100]}…{word[0][-50:]}", printable(line))
    print(text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…", file=sys.stderr)


_LONG_WORD = re.compile(r"\S{300,}")
_MOST_CHARACTERS = 1_500


def tell_error(message: str) -> None:
    """Write one error line."""
    tell(f"error: {message}")


def tell_warning(message: str) -> None:
    """Write one warning line."""
    tell(f"warning: {message}")


def tell_some(lines: list[str]) -> None:
    """Write the first few of many lines of one kind, and how many more there are."""
    kind = lines[0].split(":", 1)[0]
    for line in shortened(lines, f"{kind}: "):
        tell(line)


def shortened(lines: Sequence[str], prefix: str = "") -> Sequence[str]:
    """Return the first few of many lines and a last one that counts the rest."""
    if len(lines) <= MOST_LINES:
        return lines
    return [*lines[:MOST_LINES], f"{prefix}… and {len(lines) - MOST_LINES:,} more like these"]
