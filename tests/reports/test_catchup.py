"""What is said of each peer that is not caught up."""

from dataclasses import replace

import jsonschema
import pytest

from stigmem_cursor_plugin.checkpoints import schema
from stigmem_cursor_plugin.core.catchup import Result, begin
from stigmem_cursor_plugin.core.page import Problem, Trouble
from stigmem_cursor_plugin.core.snapshot import Peer
from stigmem_cursor_plugin.reports import catchup as report

PEER = Peer("id-b", "stigmem://node-b", "", "active")


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble(trouble: Trouble) -> None:
    """Whatever went wrong, there is a sentence for it, and the published schema knows it."""
    result = Result(PEER, None, replace(begin(None), problem=Problem(trouble, "why")))
    document = report.document([result], 1.0, "complete")
    jsonschema.validate(document, schema.load("cursor-catchup-result.schema.json"))
    (peer,) = document["peers"]
    assert peer["trouble"] == trouble
    assert peer["message"] == report.sentence(result.progress)
