"""Alerts, envelopes and reports: the small rules in the vocabulary itself."""

from itertools import chain, combinations, product

import pytest

from app.domain.alert import Severity
from app.domain.envelope import Delivery, DeliveryState, EnvelopeState, state_of
from app.domain.report import STATE_NAMES
from tests.support.factories import Factory


def test_severities_are_ranked() -> None:
    """The rank orders what is sent first, and leads back to its severity."""
    assert [severity.rank for severity in Severity] == [0, 1, 2, 3]
    assert [Severity.of_rank(rank) for rank in range(4)] == list(Severity)
    assert max(Severity, key=lambda severity: severity.rank) is Severity.CRITICAL


MIXES = list(chain.from_iterable(product(DeliveryState, repeat=count) for count in (1, 2, 3)))


@pytest.mark.parametrize("states", MIXES, ids="-".join)
def test_the_state_of_an_envelope_follows_from_its_recipients(states: tuple[DeliveryState, ...]) -> None:
    """Open while anybody waits, else failed as long as anybody has failed and nobody gave him up."""
    if DeliveryState.PENDING in states:
        expected = EnvelopeState.OPEN
    elif {DeliveryState.REFUSED, DeliveryState.EXPIRED, DeliveryState.BOUNCED} & set(states):
        somebody_has_it = {DeliveryState.SENT, DeliveryState.DELAYED} & set(states)
        expected = EnvelopeState.PARTLY_SENT if somebody_has_it else EnvelopeState.FAILED
    else:
        expected = EnvelopeState.DROPPED if DeliveryState.DROPPED in states else EnvelopeState.SENT
    assert state_of([Delivery(n, state) for n, state in enumerate(states)]) is expected


def test_pending_are_those_who_still_wait() -> None:
    """A retry never goes to somebody who has the mail."""
    mail = Factory().mail()
    sent = Delivery(0, DeliveryState.SENT)
    assert [d.position for d in mail.pending] == [0, 1]
    assert type(mail)(mail.envelope, mail.accepted, mail.letterhead, (sent, Delivery(1))).pending == (Delivery(1),)


def test_every_stored_state_has_its_own_name() -> None:
    """No state of an envelope is without a word, and no two share one."""
    assert STATE_NAMES.keys() == set(EnvelopeState)
    assert all(STATE_NAMES[one] is not STATE_NAMES[other] for one, other in combinations(EnvelopeState, 2))


def test_an_accepted_alert_shows_no_body() -> None:
    """A log or a traceback that holds one does not hold what it says."""
    assert "hunter2" not in repr(Factory().batch(content="hunter2", subject="hunter2"))
