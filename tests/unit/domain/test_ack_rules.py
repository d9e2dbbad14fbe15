"""Who may acknowledge by mail, and until when it holds."""

from datetime import timedelta

import pytest

from app.domain.access import AllowedRecipients
from app.domain.ack_rules import OLDEST, counts_from, may_acknowledge
from app.domain.acknowledgement import AckAction, AckDoor, AckEvent, standing
from app.domain.address import Mailbox
from tests.support.clock import NOW

RECIPIENTS = (Mailbox("ops@example.org"), Mailbox("oncall@pager.example"))
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("sender", "ack_from", "allowed"),
    [
        ("ops@example.org", None, True),
        ("OPS@Example.ORG", None, True),
        ("dana@example.org", None, True),
        ("dana@sub.example.org", None, False),
        ("stranger@elsewhere.example", None, False),
        ("dana@example.org", ["lead@example.org"], False),
        ("lead@example.org", ["lead@example.org"], True),
        ("anybody@corp.example", ["corp.example"], True),
        ("ops@example.org", ["corp.example"], True),
    ],
    ids=["recipient", "case", "domain", "subdomain", "stranger", "not-named", "named", "named-domain", "always"],
)
def test_recipients_and_their_domains_may(sender: str, ack_from: list[str] | None, allowed: bool) -> None:
    """A group's mail is answered by a person; with `ack_from` only whom it names, and the recipients."""
    names = None if ack_from is None else AllowedRecipients.of(ack_from)
    assert may_acknowledge(Mailbox(sender), RECIPIENTS, names) is allowed


def test_two_hours_count_from_when_the_mail_was_written() -> None:
    """A mailbox that could not be read for a while must not prolong what somebody promised."""
    assert counts_from(NOW - HOUR, NOW) == NOW - HOUR
    assert counts_from(NOW + HOUR, NOW) == NOW
    assert counts_from(NOW - OLDEST - HOUR, NOW) == NOW
    assert counts_from(None, NOW) == NOW


def test_the_last_event_counts() -> None:
    """A second acknowledgement replaces the first, and it ends by itself or is taken back."""
    first = AckEvent(at=NOW, action=AckAction.ACKNOWLEDGED, who="a", how=AckDoor.REPLY)
    second = AckEvent(at=NOW, action=AckAction.ACKNOWLEDGED, who="b", how=AckDoor.HTTP, until=NOW + HOUR)
    undone = AckEvent(at=NOW, action=AckAction.TAKEN_BACK, who="b", how=AckDoor.COMMAND)
    assert standing([first], NOW + timedelta(days=400)) == first
    assert standing([first, second], NOW) == second
    assert standing([first, second], NOW + HOUR) is None
    assert standing([first, second, undone], NOW) is None
    assert standing([], NOW) is None
