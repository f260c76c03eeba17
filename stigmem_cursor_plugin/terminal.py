"""Lines for a person: always on standard error, always harmless for a terminal."""

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
