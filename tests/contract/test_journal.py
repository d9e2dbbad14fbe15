"""What every journal promises to the intake and the sender through the ports, whatever it is made of."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.address import Mailbox
from app.domain.alert import Alert, Severity
from app.domain.envelope import Delivery
from app.domain.errors import JournalUnavailable
from app.domain.outcome import Outcome
from tests.support.clock import NOW
from tests.support.desk import Desk, envelope_ids
from tests.support.factories import AMBIGUOUS, DEFERRED, FULL, LETTERHEAD, REFUSED, SENT, due_query, verdict_on

BACKLOG_LIMIT = 1000  # of every journal here, see conftest.py
MINUTE = timedelta(minutes=1)


# Acceptance


@pytest.mark.parametrize("alert", [FULL, Alert(subject="x")], ids=["every field", "the least"])
async def test_an_accepted_alert_comes_back_as_it_was(desk: Desk, alert: Alert) -> None:
    """Nothing of an alert is changed by the journal, neither for the sender nor for people."""
    batch = await desk.post(alert=alert)
    (mail,) = await desk.journal.due(due_query())
    report = await desk.journal.find(batch.alerts[0].id)
    assert mail.accepted == batch.alerts[0]
    assert mail.envelope == batch.envelopes[0]
    assert report is not None
    assert report.accepted == batch.alerts[0]


async def test_a_new_mail_waits_for_all_recipients_of_its_letterhead(desk: Desk) -> None:
    """The sender gets the letterhead and an untried delivery for every recipient."""
    await desk.post()
    (mail,) = await desk.journal.due(due_query())
    assert mail.letterhead == LETTERHEAD
    assert mail.deliveries == (Delivery(0), Delivery(1))


async def test_a_backlog_over_the_limit_is_refused_whole(desk: Desk) -> None:
    """What would pass the limit is turned down with a remedy, and nothing of it is taken."""
    await desk.post(BACKLOG_LIMIT - 1)
    with pytest.raises(JournalUnavailable, match="backlog_limit 1000"):
        await desk.post(2)
    assert desk.journal.open_count == BACKLOG_LIMIT - 1
    await desk.post(1)


async def test_room_in_the_backlog_comes_back_as_mails_leave(desk: Desk) -> None:
    """Only open envelopes count."""
    batch = await desk.post(BACKLOG_LIMIT)
    await desk.journal.record(verdict_on(batch.envelopes[0].id))
    await desk.post(1)
    assert desk.journal.open_count == BACKLOG_LIMIT


# What is due


async def test_critical_mails_come_first_then_the_oldest(desk: Desk) -> None:
    """The order of sending is severity, then age."""
    low = [
        await desk.post(severity=severity, at=NOW - age * MINUTE)
        for severity, age in [(Severity.INFO, 9), (Severity.WARNING, 1)]
    ]
    high = [await desk.post(severity=Severity.CRITICAL, at=NOW - age * MINUTE) for age in (1, 2)]
    expected = [*envelope_ids(high[1]), *envelope_ids(high[0]), *envelope_ids(low[1]), *envelope_ids(low[0])]
    assert await desk.due_ids() == expected


async def test_mails_of_one_moment_keep_their_order(desk: Desk) -> None:
    """Alerts of one array leave in the order of the array."""
    batch = await desk.post(20)
    assert await desk.due_ids() == envelope_ids(batch)


async def test_held_mails_are_not_handed_out(desk: Desk) -> None:
    """What the queue has already is not read again."""
    first, second, third = envelope_ids(await desk.post(3))
    assert await desk.due_ids(held={first, third, 12345}) == [second]


async def test_no_more_are_read_than_asked_for(desk: Desk) -> None:
    """The count bounds a page over all severities together."""
    critical = await desk.post(2, severity=Severity.CRITICAL)
    await desk.post(5, severity=Severity.INFO)
    assert (await desk.due_ids(count=3))[:2] == envelope_ids(critical)
    assert len(await desk.due_ids(count=3)) == 3
    assert await desk.due_ids(count=2) == envelope_ids(critical)


async def test_large_alerts_end_a_page_early(desk: Desk) -> None:
    """The bytes of a page are bounded, and what did not fit comes later."""
    batch = await desk.post(5, content="x" * 10_000)
    assert await desk.due_ids(max_bytes=25_000) == envelope_ids(batch)[:2]


async def test_one_alert_over_the_byte_limit_is_read_alone(desk: Desk) -> None:
    """A mail that is larger than a page does not stop the queue."""
    batch = await desk.post(2, content="x" * 10_000)
    assert await desk.due_ids(max_bytes=10) == envelope_ids(batch)[:1]


async def test_a_deferred_mail_is_not_due_before_its_time(desk: Desk) -> None:
    """A retry waits out its delay."""
    (envelope,) = envelope_ids(await desk.post())
    await desk.journal.record(verdict_on(envelope, DEFERRED))  # for one minute
    assert await desk.due_ids(until=NOW + MINUTE - timedelta(milliseconds=1)) == []
    assert await desk.due_ids(until=NOW + MINUTE) == [envelope]


async def test_ambiguous_mails_are_left_out_on_request(desk: Desk) -> None:
    """A drain does not send again what the relay may have taken."""
    ambiguous, deferred = envelope_ids(await desk.post(2))
    await desk.journal.record(verdict_on(ambiguous, AMBIGUOUS))
    await desk.journal.record(verdict_on(deferred, DEFERRED))
    later = NOW + MINUTE
    assert await desk.due_ids(until=later, with_ambiguous=False) == [deferred]
    assert await desk.due_ids(until=later) == [ambiguous, deferred]


@pytest.mark.parametrize("outcome", [SENT, REFUSED], ids=["sent", "refused"])
async def test_a_finished_mail_is_never_due_again(desk: Desk, outcome: Outcome) -> None:
    """What is sent or refused has left the queue for good."""
    (envelope,) = envelope_ids(await desk.post())
    await desk.journal.record(verdict_on(envelope, outcome))
    assert await desk.due_ids(until=NOW + timedelta(days=4000)) == []
    assert desk.journal.open_count == 0


async def test_the_next_attempt_knows_what_the_last_one_met(desk: Desk) -> None:
    """A retry goes only to those who still wait, with their attempts counted."""
    (envelope,) = envelope_ids(await desk.post())
    sent = verdict_on(envelope).deliveries[0]
    verdict = verdict_on(envelope, DEFERRED)
    waiting = replace(verdict.deliveries[0], position=1, attempts=3)
    await desk.journal.record(replace(verdict, deliveries=(sent, waiting)))
    (mail,) = await desk.journal.due(due_query(until=NOW + MINUTE))
    assert mail.deliveries == (sent, waiting)
    assert mail.pending == (waiting,)
    assert mail.envelope.due_at == NOW + MINUTE


async def test_a_later_attempt_replaces_what_is_known_of_a_recipient(desk: Desk) -> None:
    """There is one line per recipient, and it tells of the last attempt."""
    batch = await desk.post()
    envelope = batch.envelopes[0].id
    await desk.journal.record(verdict_on(envelope, DEFERRED))
    await desk.journal.record(verdict_on(envelope, SENT, at=NOW + MINUTE))
    report = await desk.journal.find(batch.alerts[0].id)
    assert report is not None
    assert report.envelopes[0].deliveries == (*verdict_on(envelope, SENT, at=NOW + MINUTE).deliveries, Delivery(1))


# Letterheads


async def test_the_same_letterhead_is_stored_once(desk: Desk) -> None:
    """Equal settings share a number; changed ones get their own."""
    number = await desk.journal.keep(LETTERHEAD)
    other = await desk.journal.keep(replace(LETTERHEAD, server_name="web2"))
    assert await desk.journal.keep(replace(LETTERHEAD)) == number
    assert other != number


async def test_changed_settings_hold_for_new_mails_only(desk: Desk) -> None:
    """Each mail goes out under the letterhead that it was made with."""
    changed = replace(LETTERHEAD, recipients=(Mailbox("night@example.org", "Night, shift"),))
    await desk.post()
    desk.make.letterhead_id = await desk.journal.keep(changed)
    await desk.post()
    mails = await desk.journal.due(due_query())
    assert [mail.letterhead for mail in mails] == [LETTERHEAD, changed]
    assert len(mails[1].deliveries) == 1


async def test_a_verdict_is_taken_before_it_is_awaited(desk: Desk) -> None:
    """What the relay said is on its way to the journal as soon as `record` returns."""
    first, second = envelope_ids(await desk.post(2))
    commits: list[Awaitable[None]] = [desk.journal.record(verdict_on(first))]
    await desk.journal.record(verdict_on(second))
    assert desk.journal.open_count == 0
    await commits[0]
