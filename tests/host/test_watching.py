"""What the host's words for a rejected fact mean."""

import pytest

from stigmem_cursor_plugin.core.page import Cause
from stigmem_cursor_plugin.host.watching import cause_of


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("", Cause.FOR_GOOD),
        ("skip fact (cid_required)", Cause.FOR_GOOD),
        ("skip fact (origin_not_sender)", Cause.FOR_GOOD),
        ("skip fact (origin_unresolvable): no stored manifest", Cause.PEER_UNKNOWN),
        (
            "skip fact (origin_unresolvable): relayed origin 'x' is unanchored",
            Cause.ORIGIN_UNKNOWN,
        ),
        ("skip fact (relay_sender_not_trusted)", Cause.RELAY_NOT_TRUSTED),
        ("a first line; skip fact (relay_sender_not_trusted)", Cause.RELAY_NOT_TRUSTED),
    ],
)
def test_cause(reason: str, cause: Cause) -> None:
    """The name in brackets tells what can be mended from what cannot."""
    assert cause_of(reason) is cause
