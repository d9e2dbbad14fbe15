"""How the parts from the queue to the relays are built."""

import pytest

from app.wiring.sending import HEAVY_AT_ONCE, most_heavy


@pytest.mark.parametrize(
    ("connections", "most"),
    [((1,), 1), ((2,), 1), ((3,), 2), ((100,), HEAVY_AT_ONCE), ((10, 2), 1), ((10, 1), 1)],
    ids=["only one", "two", "three", "many", "few over one relay", "one over one relay"],
)
def test_mails_with_attachments_leave_a_connection_to_the_others(connections: tuple[int, ...], most: int) -> None:
    """Over each relay that has several; over one that has one they go all the same."""
    assert most_heavy(connections) == most
