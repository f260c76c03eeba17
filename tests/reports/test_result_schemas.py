"""The result schemas know every word that the program may use."""

from enum import Enum
from typing import Any

import pytest

from stigmem_cursor_plugin.checkpoints import schema
from stigmem_cursor_plugin.core.catchup import Ending
from stigmem_cursor_plugin.core.decision import Outcome
from stigmem_cursor_plugin.core.page import PageTrouble
from stigmem_cursor_plugin.core.witness import Proof


def enums(part: Any) -> list[set[str]]:
    """Return the words of every enumeration in a schema, without null."""
    if isinstance(part, list):
        return [found for item in part for found in enums(item)]
    if not isinstance(part, dict):
        return []
    here = [{word for word in part["enum"] if word is not None}] if "enum" in part else []
    return [*here, *(found for item in part.values() for found in enums(item))]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cursor-import-result", Proof),
        ("cursor-check-result", Proof),
        ("cursor-import-result", Outcome),
        ("cursor-check-result", Outcome),
        ("cursor-catchup-result", PageTrouble),
        ("cursor-catchup-result", Ending),
    ],
)
def test_every_word_is_in_the_schema(name: str, words: type[Enum]) -> None:
    """A word that is new in the program is new in the schema, and none is left over."""
    assert {word.value for word in words} in enums(schema.load(f"{name}.schema.json"))
