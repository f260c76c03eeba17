"""Write the man pages: from the argparse parsers, and the one on the format from the schema.

Usage: python -m tools.man_pages [DIRECTORY]    (default: man)

The pages are the same bytes whatever the Python version, terminal width, time zone or day.
"""

import json
import os
import re
import sys
import textwrap
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from argparse_manpage.manpage import Manpage

from stigmem_cursor_plugin import __version__, cli, commands
from stigmem_cursor_plugin.checkpoints import schema
from stigmem_cursor_plugin.commands.definitions.base import Command
from tools import manual
from tools.hosts import ROOT
from tools.manual import Terms

MANUAL = "Stigmem Manual"
FORMAT_PAGE = "stigmem-cursor-checkpoint"
OVERVIEW_PAGE = "stigmem-cursor"
HELP = r""".TP
\fB\-h\fR, \fB\-\-help\fR
show the help and exit"""


def main(directory: Path) -> None:
    """Write every page to *directory*."""
    os.environ |= {"COLUMNS": "80", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    for name, text in pages():
        (directory / name).write_text(text, encoding="utf-8")


def pages() -> Iterator[tuple[str, str]]:
    """Return the file name and text of every page."""
    for command in commands.COMMANDS:
        yield f"{_title(command)}.1", _command_page(command)
    yield "stigmem-cursor.1", _standalone_page()
    yield f"{FORMAT_PAGE}.5", _format_page()
    yield f"{OVERVIEW_PAGE}.7", _overview_page()


def _title(command: Command) -> str:
    return f"stigmem-federation-{command.name}"


def _command_page(command: Command) -> str:
    parser = ArgumentParser(prog=_title(command))
    commands.fill(parser, command)
    prog = f"stigmem federation {command.name}"
    usage = parser.format_usage().split()[2:]
    name = command.standalone
    statuses = tuple((str(status), meaning) for status, meaning in command.exit_status)
    return _page(
        parser,
        command.summary,
        " ".join([prog, *usage]),
        {
            **{title: _section(words) for title, words in manual.SECTIONS.get(name, {}).items()},
            "EXIT STATUS": f"{_terms(statuses)}\n.PP\n{_text(manual.STATUS_NOTES[name])}",
            "ENVIRONMENT": _terms(manual.ENVIRONMENT[name]),
            "FILES": _terms(manual.FILES[name]),
            "EXAMPLES": _examples(
                (text, line.format(prog=prog)) for text, line in command.examples
            ),
            "SEE ALSO": _see_also(f"{_title(command)}(1)"),
        },
    )


def _standalone_page() -> str:
    usage = cli.build_parser().format_usage().split()[2:]
    described = [
        (
            command.standalone,
            f"{_sentence(command.summary)} Arguments, files and exit status are those of "
            f"{_title(command)}(1).",
        )
        for command in commands.COMMANDS
    ]
    return _page(
        cli.top_parser(),
        "checkpoints of a stigmem node's replication cursors",
        " ".join(["stigmem-cursor", *usage]),
        {
            "COMMANDS": _terms(described),
            "EXIT STATUS": _section(manual.OVERVIEW["EXIT STATUS"]),
            "ENVIRONMENT": _terms(_merged(manual.STANDALONE_ENVIRONMENT.values())),
            "FILES": _terms(_merged(manual.FILES.values())),
            "EXAMPLES": _examples(
                (text, line.format(prog=f"stigmem-cursor {command.standalone}"))
                for command in commands.COMMANDS
                for text, line in command.examples
            ),
            "SEE ALSO": _see_also("stigmem-cursor(1)"),
        },
    )


def _merged(groups: Iterable[Terms]) -> Terms:
    return tuple(dict.fromkeys(term for group in groups for term in group))


def _overview_page() -> str:
    words = dict(manual.OVERVIEW)
    parser = ArgumentParser(
        prog=OVERVIEW_PAGE, add_help=False, description=str(words.pop("DESCRIPTION"))
    )
    return _page(
        parser,
        "how to keep and recover the replication cursors of a stigmem node",
        None,
        {
            **{title: _section(text) for title, text in words.items()},
            "EXAMPLES": _examples(
                (text, f"stigmem federation cursor-{line}") for text, line in manual.STORY
            ),
            "SEE ALSO": _see_also("stigmem-cursor(7)"),
        },
        section="7",
    )


def _format_page() -> str:
    document = schema.load()
    parser = ArgumentParser(prog=FORMAT_PAGE, add_help=False, description=document["description"])
    example = json.dumps(document["examples"][0], indent=2)
    return _page(
        parser,
        "checkpoint of a stigmem node's replication cursors",
        None,
        {
            "FIELDS": _fields(document, document),
            "FIELDS OF A CURSOR": _fields(document["$defs"]["entry"], document),
            "FIELDS OF RECEIVED": _fields(document["$defs"]["received"], document),
            "EXIT STATUS": _text(
                "If you name a file that is not valid, the command exits 1, with one line for each "
                "violation and its place in the file. In a directory, such a file is passed over "
                "with a warning."
            ),
            "ENVIRONMENT": _text("The format does not depend on the environment."),
            "FILES": _terms(
                [
                    (
                        schema.CHECKPOINT,
                        "The JSON Schema (2020-12) that this page was made from, in the "
                        "directory schemas of the Python package stigmem_cursor_plugin.",
                    )
                ]
            ),
            "EXAMPLES": f".nf\n{_escaped(example)}\n.fi",
            "SEE ALSO": _see_also(f"{FORMAT_PAGE}(5)"),
        },
        section="5",
    )


def _page(
    parser: ArgumentParser,
    summary: str,
    synopsis: str | None,
    sections: dict[str, str],
    section: str = "1",
) -> str:
    parser.epilog = None
    page = Manpage(parser)
    page.section = section
    page.date = _release_date()
    page.source = f"stigmem-cursor-plugin {__version__}"
    page.manual = MANUAL
    page.description = summary
    page.synopsis = []
    if synopsis:
        # The page is named with hyphens, as man wants it; the command is typed with spaces.
        page.add_section("synopsis", "=", _text(synopsis))
    for heading, content in sections.items():
        page.add_section(heading, ">", content)
    text = re.sub(r"\n{2,}", "\n", str(page))
    # The generator leaves out the option that argparse adds by itself.
    text = text.replace(".SH OPTIONS\n", f".SH OPTIONS\n{HELP}\n", 1)
    # Names of options and settings are never broken, lines are not stretched, and one space ends a
    # sentence.
    text = re.sub(r"^(\.TH .*)$", r"\1\n.nh\n.ad l\n.ss 12 0", text, count=1, flags=re.MULTILINE)
    # The whole name leaves no room for the rest of the header at 80 columns.
    return re.sub(r"^\.TH STIGMEM\\-FEDERATION\\-", ".TH ", text)


def _release_date() -> str:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## \[{re.escape(__version__)}\] - (\S+)$", changelog, re.MULTILINE)
    if found is None:
        raise SystemExit(f"CHANGELOG.md has no dated entry for {__version__}")
    return found[1]


def _fields(definition: dict[str, Any], document: dict[str, Any]) -> str:
    terms = []
    for name, given in definition["properties"].items():
        reference = given.get("$ref", "").removeprefix("#/$defs/")
        described = {**document["$defs"].get(reference, {}), **given}
        kind = described.get("type", json.dumps(described["const"]) if "const" in described else "")
        kinds = " or ".join([kind] if isinstance(kind, str) else kind)
        needed = "required" if name in definition.get("required", ()) else "optional"
        terms.append(
            (name, f"({', '.join(filter(None, (kinds, needed)))}) {described['description']}")
        )
    return _terms(terms)


def _section(words: str | Terms) -> str:
    return _text(words) if isinstance(words, str) else _terms(words)


def _terms(terms: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{_tags(term)}\n{_text(text)}" for term, text in terms)


def _tags(term: str) -> str:
    return "\n.TQ\n".join(f".B {_escaped(name)}" for name in term.split(", ")).join([".TP\n", ""])


def _examples(examples: Iterable[tuple[str, str]]) -> str:
    return "\n".join(
        f".PP\n{_text(text)}\n.PP\n.RS 4\n.nf\n{_escaped(line)}\n.fi\n.RE"
        for text, line in examples
    )


def _see_also(this: str) -> str:
    """Return references to all the pages but *this*."""
    names = [
        f"{OVERVIEW_PAGE}(7)",
        "stigmem-cursor(1)",
        *(f"{_title(command)}(1)" for command in commands.COMMANDS),
        f"{FORMAT_PAGE}(5)",
    ]
    names.remove(this)
    references = [f".BR {_escaped(name[:-3])} {name[-3:]}" for name in names]
    return ",\n".join(references)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _text(text: str) -> str:
    return "\n".join(textwrap.wrap(_escaped(text), 78, break_on_hyphens=False))


def _escaped(text: str) -> str:
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("`", r"\(ga")
    # A line that begins with a full stop or an apostrophe would be a request.
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.MULTILINE)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "man")
