"""The state of an alert that has several mails."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.envelope import Delivery, DeliveryState, EnvelopeState, state_of, state_of_all

OPEN, SENT, PARTLY, FAILED, DROPPED, KEPT = EnvelopeState
STATES = {
    "no mail yet": ((), OPEN),
    "one waits": ((SENT, OPEN, FAILED), OPEN),
    "all sent": ((SENT, SENT), SENT),
    "one failed": ((SENT, FAILED), PARTLY),
    "one in part": ((SENT, PARTLY), PARTLY),
    "all failed": ((FAILED, FAILED), FAILED),
    "failed and dropped": ((FAILED, DROPPED), FAILED),
    "sent and dropped": ((SENT, DROPPED), DROPPED),
    "kept": ((KEPT,), KEPT),
}


@pytest.mark.parametrize(("states", "expected"), STATES.values(), ids=STATES.keys())
def test_the_state_is_that_of_all_mails(states: tuple[EnvelopeState, ...], expected: EnvelopeState) -> None:
    """What still waits comes first, then what failed for somebody."""
    assert state_of_all(states) is expected


CASES = [
    tuple(Delivery(n, state) for n, state in enumerate(states))
    for count in (1, 2)
    for states in product(DeliveryState, repeat=count)
]


@given(mails=st.lists(st.sampled_from(CASES), min_size=1, max_size=3))
def test_several_mails_are_like_one_to_all(mails: list[tuple[Delivery, ...]]) -> None:
    """Whether people get one mail together or one each says nothing about how the alert stands."""
    one = state_of([delivery for deliveries in mails for delivery in deliveries])
    several = state_of_all({state_of(deliveries) for deliveries in mails})
    hidden = {DROPPED, PARTLY, FAILED}  # a mail that was dropped in part does not tell that it was sent in part
    assert several is one or {several, one} <= hidden
