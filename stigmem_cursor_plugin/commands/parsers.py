"""How the commands read their command lines: help that keeps its layout, errors that help."""

from argparse import ArgumentParser, HelpFormatter, Namespace
from collections.abc import Sequence
from typing import Any, NoReturn


class CommandFormatter(HelpFormatter):
    """Fills paragraphs, and leaves lines that are indented (the examples) as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(
            line
            if line.startswith(" ")
            else super(CommandFormatter, self)._fill_text(line, width, indent)
            for line in text.splitlines()
        )


class CommandParser(ArgumentParser):
    """A parser whose errors end with what to type instead."""

    example = ""
    """A command line that would have worked."""

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
        super().error(f"{message}\n{self._advice(message)}")

    def _advice(self, message: str) -> str:
        from difflib import get_close_matches  # noqa: PLC0415  only where something is wrong

        flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
        for word in message.split():
            flag = word.partition("=")[0].rstrip(":")
            near = get_close_matches(flag, flags, n=1)
            if flag.startswith("-") and flag not in flags and near:
                return f"did you mean {near[0]}?"
        return f"for example: {self.example}"
