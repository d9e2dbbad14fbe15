"""The poller: when it tries again, and what it says of a mailbox that it cannot read."""

import asyncio
from datetime import timedelta

import pytest

from app.domain.mailbox_session import MailboxFault, Trouble
from app.mailbox import poller
from app.mailbox.poller import EXPECTING, PATIENCE, REMOVING_PAUSE
from tests.support.mailbox_site import DELETE, MINUTE, MailboxSite


def seconds(pauses: list[timedelta]) -> list[float]:
    """Return the pauses in seconds."""
    return [pause.total_seconds() for pause in pauses]


async def test_a_server_that_is_away_is_tried_less_and_less_often(site: MailboxSite) -> None:
    """And at the usual pace again once it is back."""
    site.mailbox.down = MailboxFault("cannot connect", Trouble.UNREACHABLE)
    assert seconds([await site.poll() for _ in range(8)]) == [5, 15, 30, 60, 120, 300, 300, 300]
    site.mailbox.down = None
    assert await site.poll() == MINUTE
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


async def test_a_mailbox_from_which_nothing_can_be_removed_is_read_all_the_same(site: MailboxSite) -> None:
    """With an alarm of its own, and seldom another try; nothing is read twice meanwhile."""
    site.with_rules(after=DELETE)
    await site.start()
    await site.poll()
    site.mailbox.refuses_changes = True
    for number in range(3):
        site.mailbox.put(str(number), b"Subject: one\r\n\r\n")
        assert await site.poll() == MINUTE
    (alarm,) = site.poller.troubles()
    assert "read-only" in alarm.text
    assert (site.poller.vitals().is_readable, site.poller.vitals().read) == (True, 3)
    site.mailbox.refuses_changes = False
    site.clock.pass_time(REMOVING_PAUSE)
    await site.poll()
    assert (site.mailbox.mails, site.poller.troubles()) == ({}, [])


async def test_it_looks_more_often_while_something_is_expected(site: MailboxSite) -> None:
    """Unless the server has asked for patience."""
    await site.poll()
    site.is_expecting = True
    assert await site.poll() == EXPECTING
    site.mailbox.down = MailboxFault("later, please", Trouble.BUSY)
    assert await site.poll() == MINUTE
    site.mailbox.down = None
    assert await site.poll() == MINUTE


async def test_hurrying_ends_a_pause(site: MailboxSite) -> None:
    """A probe that was just sent is not kept waiting for the next ordinary look."""
    running = asyncio.create_task(site.poller.run())
    async with asyncio.timeout(30):
        while site.mailbox.sessions < 2:
            site.poller.hurry()
            await asyncio.sleep(0.001)
    running.cancel()


async def test_a_session_that_hears_of_mail_is_used_again(site: MailboxSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """One session for many looks, with IMAP."""
    monkeypatch.setattr(poller, "SPACING", timedelta())
    site.mailbox.can_wait = True
    site.mailbox.news = ["1", "2"]
    await site.poll()
    assert (site.mailbox.sessions, site.mailbox.fetched) == (1, ["1", "2"])


async def test_readable_time_begins_anew_behind_a_gap(site: MailboxSite) -> None:
    """A blip is none: a probe that nobody could see for an hour is not missing, one that was looked for is."""
    assert site.poller.readable_for is None
    await site.poll()
    site.clock.pass_time(MINUTE)
    site.mailbox.down = MailboxFault("hung up", Trouble.UNREACHABLE)
    await site.poll()
    site.mailbox.down = None
    await site.poll()
    assert site.poller.readable_for == MINUTE
    site.clock.pass_time(60 * MINUTE)
    assert site.poller.readable_for is None
    await site.poll()
    assert site.poller.readable_for == timedelta()


async def test_nothing_is_looked_at_once_the_daemon_shuts_down(site: MailboxSite) -> None:
    """What would be read could not be recorded."""
    site.ingest.close()
    await site.poll()
    assert site.mailbox.sessions == 0
