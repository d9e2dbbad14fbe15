"""What every journal tells of mails that wait for long."""

from datetime import timedelta

import pytest

from app.domain.alert import Severity
from app.domain.outcome import Outcome
from app.domain.ports import FreshStart
from tests.support.clock import NOW
from tests.support.desk import Desk, envelope_ids
from tests.support.factories import DEFERRED, REFUSED, SENT, due_query, verdict_on

HOUR = timedelta(hours=1)
AGAIN = FreshStart(at=NOW + HOUR, usable_seconds=60, running_seconds=100)


async def overdue_ids(desk: Desk, *, made_before: int, after: int = 0, limit: int = 100) -> list[int]:
    """Return the ids of the mails made at or before these running seconds."""
    mails = await desk.journal.overdue(made_before=made_before, after=after, limit=limit)
    return [mail.envelope.id for mail in mails]


async def test_running_time_is_kept_with_a_mail(desk: Desk) -> None:
    """The bound of all lifetimes counts from it, over any number of restarts."""
    await desk.post(running_seconds=4711)
    (mail,) = await desk.journal.due(due_query())
    assert mail.envelope.running_seconds == 4711


async def test_mails_made_long_ago_are_found_in_the_order_of_their_ids(desk: Desk) -> None:
    """Severity and clock do not matter, only for how long the daemon has run since."""
    first = await desk.post(running_seconds=10, severity=Severity.INFO)
    second = await desk.post(running_seconds=5, severity=Severity.CRITICAL, due_at=NOW + HOUR)
    await desk.post(running_seconds=11)
    assert await overdue_ids(desk, made_before=10) == envelope_ids(first) + envelope_ids(second)


@pytest.mark.parametrize("outcome", [SENT, REFUSED], ids=["sent", "refused"])
async def test_a_finished_mail_is_not_overdue(desk: Desk, outcome: Outcome) -> None:
    """Only what waits can expire."""
    finished, waiting = envelope_ids(await desk.post(2))
    await desk.journal.record(verdict_on(finished, outcome))
    await desk.journal.record(verdict_on(waiting, DEFERRED))
    assert await overdue_ids(desk, made_before=0) == [waiting]


async def test_overdue_mails_come_in_pages(desk: Desk) -> None:
    """Page after page goes on behind the last id."""
    ids = envelope_ids(await desk.post(5))
    assert await overdue_ids(desk, made_before=0, limit=2) == ids[:2]
    assert await overdue_ids(desk, made_before=0, after=ids[1], limit=2) == ids[2:4]
    assert await overdue_ids(desk, made_before=0, after=ids[4]) == []


async def test_the_oldest_open_mail_is_known(desk: Desk) -> None:
    """Finished mails do not count, and without an open one there is none."""
    assert await desk.journal.oldest_open() is None
    (old,) = envelope_ids(await desk.post(at=NOW - 2 * HOUR, severity=Severity.CRITICAL))
    await desk.post(at=NOW - HOUR, severity=Severity.INFO)
    assert await desk.journal.oldest_open() == NOW - 2 * HOUR
    await desk.journal.record(verdict_on(old, REFUSED))
    assert await desk.journal.oldest_open() == NOW - HOUR


async def test_the_longest_wait_is_known_by_severity(desk: Desk) -> None:
    """A delayed critical mail is told from a flood of others that wait."""
    await desk.post(running_seconds=3, severity=Severity.INFO)
    await desk.post(running_seconds=8, severity=Severity.ERROR)
    (critical,) = envelope_ids(await desk.post(running_seconds=9, severity=Severity.CRITICAL))
    longest = [await desk.journal.oldest_waiting(severity, unacknowledged_at=NOW) for severity in Severity]
    await desk.journal.record(verdict_on(critical, SENT))
    assert longest == [3, 8, 8, 9]
    assert await desk.journal.oldest_waiting(Severity.CRITICAL, unacknowledged_at=NOW) is None


async def test_a_mail_that_is_sent_again_waits_from_then_on(desk: Desk) -> None:
    """A dead letter of last month raises no alarm of delay the moment it is retried."""
    (envelope,) = envelope_ids(await desk.post(at=NOW - 700 * HOUR, running_seconds=1))
    await desk.journal.record(verdict_on(envelope, REFUSED))
    await desk.journal.retry(envelope, AGAIN)
    assert await desk.journal.oldest_waiting(Severity.INFO, unacknowledged_at=NOW) == AGAIN.running_seconds
    assert await desk.journal.oldest_open() == AGAIN.at
    assert await overdue_ids(desk, made_before=AGAIN.running_seconds - 1) == []
