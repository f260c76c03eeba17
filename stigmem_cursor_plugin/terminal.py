"""Lines for a person: always on standard error, always harmless for a terminal."""

import sys

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
    """Write one line to standard error."""
    print(printable(line), file=sys.stderr)


def tell_error(message: str) -> None:
    """Write one error line."""
    tell(f"error: {message}")


def tell_warning(message: str) -> None:
    """Write one warning line."""
    tell(f"warning: {message}")


def tell_some(lines: list[str]) -> None:
    """Write the first few of many lines of one kind, and how many more there are."""
    for line in lines[:MOST_LINES]:
        tell(line)
    if len(lines) > MOST_LINES:
        kind = lines[0].split(":", 1)[0]
        tell(f"{kind}: … and {len(lines) - MOST_LINES:,} more like the last one")
