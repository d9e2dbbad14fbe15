"""A mail that is in no journal."""

from dataclasses import replace

from app.domain.alert import Alert, Severity
from app.domain.lone_mail import lone_mail
from tests.support.clock import NOW
from tests.support.factories import LETTERHEAD

ALERT = Alert(subject="a test", severity=Severity.INFO)


def test_it_goes_to_everybody() -> None:
    """Each recipient of the letterhead waits for it, and it is as severe as its alert."""
    mail = lone_mail(ALERT, LETTERHEAD, number=7, at=NOW)
    assert [delivery.position for delivery in mail.pending] == [0, 1]
    assert (mail.envelope.id, mail.envelope.severity, mail.accepted.alert) == (7, Severity.INFO, ALERT)


def test_it_promises_no_answer() -> None:
    """What comes back about it finds nothing in the journal, so it gives no address for that."""
    letterhead = replace(LETTERHEAD, reply_address=LETTERHEAD.sender, verp="box@example.org", takes_answers=True)
    assert lone_mail(ALERT, letterhead, number=7, at=NOW).letterhead == LETTERHEAD
