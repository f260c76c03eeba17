"""How the commands read their command lines: errors that say what to type instead."""

import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

from stigmem_cursor_plugin.argparse_internals import ShowingParser, options_of
from stigmem_cursor_plugin.commands.ending import status_of
from stigmem_cursor_plugin.terminal import printable, say, write_result


class CommandParser(ShowingParser):
    """A parser whose errors end with what to type instead."""

    examples: Sequence[str] = ("",)
    """Command lines that would have worked."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> tuple[Namespace, list[str]]:
        """Parse, and refuse what is not known here: the parser above would not know it either."""
        found: Any = super().parse_known_args(args, namespace)
        if found[1]:
            self.error(f"unrecognized arguments: {' '.join(found[1])}")
        return found  # type: ignore[no-any-return]

    def error(self, message: str) -> NoReturn:
        """Print the usage, what is wrong and what to type instead; exit status 2."""
        shown = "\n".join(map(printable, message.splitlines()))
        super().error(f"{shown}\n{self._advice(message)}")

    def show(self, text: str, *, error: bool) -> None:
        """Print help, the version or an error; what cannot be written is an error too."""
        if error:
            say(text)
        elif status := status_of(partial(_write, text)):
            sys.exit(status)

    def _advice(self, message: str) -> str:
        from difflib import get_close_matches  # noqa: PLC0415  only where something is wrong

        first = f"for example: {self.examples[0]}"
        if option := _NAMED.match(message):
            fitting = (line for line in self.examples if option[1] in line.split())
            return next((f"for example: {line}" for line in fitting), first)
        if choice := _CHOICE.search(message):
            known, typed = re.findall(r"[\w-]+", choice[2]), choice[1]
        else:
            known = [flag for flag in options_of(self) if flag.startswith("--")]
            typed = next((word for word in message.split() if word.startswith("-")), "")
        near = get_close_matches(typed.partition("=")[0].rstrip(":"), known, n=1)
        return f"did you mean {near[0]}?" if near else first


def _write(text: str) -> int:
    write_result(text)
    return 0


_NAMED = re.compile(r"argument (-\S+): ")
_CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)")
