"""The poller: when it tries again, and what it says of a mailbox that it cannot read."""

from datetime import timedelta

import pytest

from app.domain.mailbox_session import MailboxFault, Trouble
from app.mailbox.poller import PATIENCE
from tests.support.mailbox_site import MailboxSite

MINUTE = timedelta(minutes=1)


def seconds(pauses: list[timedelta]) -> list[float]:
    """Return the pauses in seconds."""
    return [pause.total_seconds() for pause in pauses]


async def test_a_server_that_is_away_is_tried_less_and_less_often(site: MailboxSite) -> None:
    """And at the usual pace again once it is back."""
    site.mailbox.down = MailboxFault("cannot connect", Trouble.UNREACHABLE)
    assert seconds([await site.poll() for _ in range(8)]) == [5, 15, 30, 60, 120, 300, 300, 300]
    site.mailbox.down = None
    assert await site.poll() == site.rules.every
    site.mailbox.down = MailboxFault("cannot connect", Trouble.UNREACHABLE)
    assert seconds([await site.poll()]) == [5]


async def test_a_wrong_password_is_not_hammered(site: MailboxSite) -> None:
    """Many providers lock the account."""
    site.mailbox.down = MailboxFault("the password is refused", Trouble.LOGIN)
    assert seconds([await site.poll() for _ in range(4)]) == [60, 300, 900, 900]


@pytest.mark.parametrize("trouble", [Trouble.LOGIN, Trouble.CONFIGURATION])
async def test_what_no_waiting_mends_is_told_at_once(site: MailboxSite, trouble: Trouble) -> None:
    """With the reason, and nothing of it while all is well."""
    await site.poll()
    assert site.poller.troubles() == []
    site.mailbox.down = MailboxFault("the server refuses it", trouble)
    await site.poll()
    (alarm,) = site.poller.troubles()
    assert "the server refuses it" in alarm.text


async def test_what_may_pass_is_told_after_a_while(site: MailboxSite) -> None:
    """Servers restart, and other programs hold a POP3 mailbox for a minute."""
    site.mailbox.down = MailboxFault("somebody else reads it", Trouble.IN_USE)
    await site.poll()
    assert site.poller.troubles() == []
    site.clock.pass_time(PATIENCE)
    await site.poll()
    assert len(site.poller.troubles()) == 1
    assert site.poller.vitals().failing_for == PATIENCE
    site.mailbox.down = None
    await site.poll()
    assert site.poller.troubles() == []


async def test_vitals_tell_of_the_last_look(site: MailboxSite) -> None:
    """None before the first; then its age, and how many mails were read."""
    assert site.poller.vitals().last_poll_age is None
    await site.poll()
    site.mailbox.put("1", b"Subject: one\r\n\r\n")
    await site.poll()
    site.clock.pass_time(MINUTE)
    vitals = site.poller.vitals()
    assert (vitals.is_readable, vitals.last_poll_age, vitals.read) == (True, MINUTE, 1)
