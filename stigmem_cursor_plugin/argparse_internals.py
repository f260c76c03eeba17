"""The private parts of argparse that are used here, in one place.

Standard library only: the startup file's code needs it too. Seen on Python 3.11 to 3.14.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, HelpFormatter, _SubParsersAction
from collections.abc import Collection, Sequence
from typing import Any


class IndentKeepingFormatter(HelpFormatter):
    """Fills paragraphs, and leaves lines that are indented (the examples) as they are.

    Names of commands and options are not broken.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(
            line
            if line.startswith(" ")
            else "\n".join(indent + part for part in self._split_lines(line, width - len(indent)))
            for line in text.splitlines()
        )

    def _split_lines(self, text: str, width: int) -> list[str]:
        import textwrap  # noqa: PLC0415  for help alone, as in argparse

        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


class ShowingParser(ArgumentParser):
    """A parser whose subclass shows its help and errors; argparse passes over a full disk."""

    def show(self, text: str, *, error: bool) -> None:
        """Show help or the version, or with *error* what is wrong."""
        raise NotImplementedError

    def _print_message(self, message: str, file: Any = None) -> None:
        self.show(message or "", error=file is sys.stderr)


def subparsers_of(parser: Any) -> Any:
    """Return what ``add_subparsers()`` has returned for *parser*."""
    return next(action for action in parser._actions if isinstance(action, _SubParsersAction))


def actions_of(parser: ArgumentParser) -> Sequence[Any]:
    """Return the arguments of *parser*, its subparsers among them; for ``tools/completions.py``."""
    return parser._actions


def options_of(parser: ArgumentParser) -> Collection[str]:
    """Return the flags that *parser* knows, such as ``--db``."""
    return parser._option_string_actions.keys()


def is_subparsers(action: Any) -> bool:
    """Tell whether an argument of a parser is its subparsers; for ``tools/completions.py``."""
    return isinstance(action, _SubParsersAction)


def add_parser(subparsers: Any, name: str, kind: type[ArgumentParser], **keywords: Any) -> Any:
    """Add a parser of the class *kind*, in place of one with the same *name*."""
    _remove(subparsers, name)
    # argparse makes every subparser of the class of the parser above it.
    others = subparsers._parser_class
    subparsers._parser_class = kind
    try:
        return subparsers.add_parser(name, **keywords)
    finally:
        subparsers._parser_class = others


def _remove(subparsers: Any, name: str) -> None:
    # argparse has no public way to take a subparser back, and refuses a second of its name.
    if name in subparsers.choices:
        del subparsers.choices[name]
        subparsers._choices_actions = [
            action for action in subparsers._choices_actions if action.dest != name
        ]
