"""An error says which database it is about."""

import pytest

from stigmem_cursor_plugin.errors import StoreError
from stigmem_cursor_plugin.stores.base import naming


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("the database refused it", "data: the database refused it"),
        ("data is locked", "data is locked"),
        ("cannot write to data: read-only", "cannot write to data: read-only"),
    ],
)
def test_every_message_names_the_database(message: str, named: str) -> None:
    """The name is put before a message that does not have it; a part of a word is not the name."""
    assert naming("data", StoreError(message)).messages == (named,)
