"""The judgement on the daemon's health: mail that cannot leave is one thing, alerts that cannot be taken another."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.vitals import Health, Vitals, health_of
from tests.support.vitals import ARRIVED, DOWN, MISSING, NO_LOGIN, READ, UNREAD, WELL, WORKS

PATIENCE = timedelta(minutes=5)
BLOCKED = replace(WELL, relay_fault="the relay refuses connections", blocked_for=PATIENCE, queue_depth=3)

VITALS = {
    "all is well": (WELL, Health.OK),
    "mail waits": (replace(WELL, queue_depth=10**6), Health.OK),
    "blocked for 5 minutes": (BLOCKED, Health.DEGRADED),
    "blocked for less": (replace(BLOCKED, blocked_for=PATIENCE - timedelta(seconds=1)), Health.OK),
    "blocked with nothing to send": (replace(BLOCKED, queue_depth=0), Health.OK),
    "the only relay refuses the login": (replace(WELL, relays=(NO_LOGIN,)), Health.DEGRADED),
    "another relay works": (replace(WELL, relays=(NO_LOGIN, WORKS)), Health.OK),
    "another may work soon": (replace(WELL, relays=(NO_LOGIN, DOWN)), Health.OK),
    "queue cannot be read": (replace(WELL, queue_fault="malformed"), Health.DEGRADED),
    "mailbox and probes are well": (replace(WELL, mailbox=READ, probes=(ARRIVED,)), Health.OK),
    "mailbox unread for 5 minutes": (replace(WELL, mailbox=UNREAD), Health.DEGRADED),
    "mailbox unread for less": (
        replace(WELL, mailbox=replace(UNREAD, failing_for=PATIENCE - timedelta(seconds=1))),
        Health.OK,
    ),
    "one probe of two is missing": (replace(WELL, probes=(ARRIVED, MISSING)), Health.DEGRADED),
    "journal out of order": (replace(WELL, journal_fault="disk full"), Health.UNAVAILABLE),
    "journal and relay": (replace(BLOCKED, journal_fault="disk full"), Health.UNAVAILABLE),
    "shutting down": (replace(WELL, closing=True), Health.CLOSING),
    "shutting down on a full disk": (replace(WELL, closing=True, journal_fault="disk full"), Health.CLOSING),
}


@pytest.mark.parametrize(("vitals", "health"), VITALS.values(), ids=VITALS.keys())
def test_each_trouble_has_its_weight(vitals: Vitals, health: Health) -> None:
    """What waiting may mend gets its time; what it cannot mend is told at once."""
    assert health_of(vitals, degraded_after=PATIENCE) is health
