"""How the commands that a message names are typed."""

import pytest

from stigmem_cursor_plugin.reports.program import Program


@pytest.mark.parametrize(
    ("program", "file", "expected"),
    [
        (Program(), "c.json", "stigmem federation cursor-import --force c.json"),
        (Program(standalone=True), "c.json", "stigmem-cursor import --force c.json"),
        (Program(), "two words", "stigmem federation cursor-import --force 'two words'"),
        (Program(), "-", "stigmem federation cursor-import --force -"),
        (
            Program(db="-a.db"),
            "-c.json",
            "stigmem federation cursor-import --db ./-a.db --force ./-c.json",
        ),
    ],
)
def test_command_line(program: Program, file: str, expected: str) -> None:
    """A command can be copied as it stands: quoted, and no name is taken for an option."""
    assert program.command("import", "--force", file=file) == f"`{expected}`"
