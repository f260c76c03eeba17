"""Every JSON result is as its schema says."""

import json
from collections.abc import Callable

import jsonschema

from stigmem_cursor_plugin.checkpoints import schema
from tests.database import Database
from tests.running import Run


def test_json_is_as_its_schema_says(
    node: Database, stigmem: Run, make_database: Callable[[str], Database]
) -> None:
    """Every kind of result is valid against the schema of its command."""
    stigmem("cursor-export", "--out", "c.json")
    make_database("empty.db").add_peer("node-b")
    cases = (
        ("check", ()),
        ("check", ("c.json", "none.json")),
        ("check", ("c.json", "--db", "stigmem.db")),
        ("check", ("c.json", "--db", "empty.db")),
        ("import", ("c.json",)),
        ("import", ("c.json", "--db", "empty.db", "--dry-run")),
        ("import", ("c.json", "--db", "empty.db", "--force", "--accept-loss")),
        ("import", ("c.json", "--force")),
    )
    for command, arguments in cases:
        finished = stigmem(f"cursor-{command}", "--json", *arguments)
        document = json.loads(finished.stdout)
        jsonschema.Draft202012Validator(
            schema.load(f"cursor-{command}-result.schema.json")
        ).validate(document)
        if command == "check":
            assert document["fit"] is (finished.returncode == 0)
            assert finished.stderr == ""
