"""What every journal lets people do with mails that failed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.alert import Severity
from app.domain.dead_letter import DeadLetter, EnvelopeEvent, EnvelopeEventKind
from app.domain.envelope import DeliveryState, EnvelopeState
from app.domain.errors import JournalUnavailable
from app.domain.outcome import Outcome
from app.domain.ports import FreshStart, RetryStep
from app.domain.report import EnvelopeReport
from tests.support.clock import NOW
from tests.support.desk import Desk, envelope_ids
from tests.support.factories import (
    AMBIGUOUS,
    DEFERRED,
    LETTERHEAD,
    LIFETIME,
    REFUSED,
    SENT,
    due_query,
    judged,
    verdict_on,
)

BACKLOG_LIMIT = 1000  # of every journal here, see conftest.py
LATER = NOW + timedelta(days=1)
START = FreshStart(at=LATER, usable_seconds=500, running_seconds=600)


async def failed(desk: Desk, *outcomes: Outcome, **of: Any) -> int:
    """Return the envelope of a mail whose two recipients met these outcomes, if need be at the end of its life."""
    (envelope,) = envelope_ids(await desk.post(**of))
    (mail,) = [m for m in await desk.journal.due(due_query()) if m.envelope.id == envelope]
    expired = int(LIFETIME.total_seconds())
    await desk.journal.record(judged(mail, outcomes or (REFUSED, REFUSED), usable_seconds=expired))
    return envelope


async def letters(desk: Desk) -> Sequence[DeadLetter]:
    """Return all dead letters."""
    return (await desk.journal.dead_letters(before=None, limit=1000)).letters


async def report_on(desk: Desk, envelope: int) -> EnvelopeReport:
    """Return what people are told of the mail."""
    page = await desk.journal.page(before=None, limit=1000, state=None, severity=None)
    (alert_id,) = [line.id for line in page.alerts if line.envelope_ids == (envelope,)]
    report = await desk.journal.find(alert_id)
    assert report is not None
    return report.envelopes[0]


def states(report: EnvelopeReport) -> list[DeliveryState]:
    """Return where each recipient stands."""
    return [delivery.state for delivery in report.deliveries]


# The list


async def test_a_dead_letter_tells_what_failed_for_whom(desk: Desk) -> None:
    """Only the recipients that failed are in it, with the relay's last reply."""
    envelope = await failed(desk, SENT, REFUSED, severity=Severity.ERROR, subject="disk full")
    report = await report_on(desk, envelope)
    (letter,) = await letters(desk)
    assert letter == DeadLetter(
        envelope_id=envelope,
        alert_id=letter.alert_id,
        failed_at=NOW,
        severity=Severity.ERROR,
        subject="disk full",
        failed=((LETTERHEAD.recipients[1], report.deliveries[1]),),
    )
    assert report.deliveries[1].reply == str(REFUSED.reply)


DEAD = {
    "refused": (REFUSED, REFUSED),
    "partly refused": (SENT, REFUSED),
    "expired": (DEFERRED, DEFERRED),
    "refused and expired": (REFUSED, DEFERRED),
}


@pytest.mark.parametrize("outcomes", DEAD.values(), ids=DEAD.keys())
async def test_whatever_failed_is_a_dead_letter(desk: Desk, outcomes: tuple[Outcome, ...]) -> None:
    """No recipient is lost silently."""
    envelope = await failed(desk, *outcomes)
    assert [letter.envelope_id for letter in await letters(desk)] == [envelope]


async def test_what_is_sent_or_waits_is_none(desk: Desk) -> None:
    """The list holds only what somebody should look at."""
    await failed(desk, SENT, SENT)
    (envelope,) = envelope_ids(await desk.post())
    await desk.journal.record(verdict_on(envelope, DEFERRED))
    assert await letters(desk) == ()


async def test_dead_letters_are_listed_newest_first_in_pages(desk: Desk) -> None:
    """The cursor leads over all of them once."""
    dead = [await failed(desk) for _ in range(5)]
    found, before = [], None
    while True:
        page = await desk.journal.dead_letters(before=before, limit=2)
        found += [letter.envelope_id for letter in page.letters]
        before = page.next_before
        if before is None:
            break
    assert found == dead[::-1]


# Retry


@pytest.mark.parametrize("outcomes", DEAD.values(), ids=DEAD.keys())
async def test_a_retried_mail_goes_to_those_who_failed(desk: Desk, outcomes: tuple[Outcome, ...]) -> None:
    """They wait as if nothing had been tried, and who has the mail does not get it again."""
    envelope = await failed(desk, *outcomes)
    assert await desk.journal.retry(envelope, START)
    (mail,) = await desk.journal.due(due_query(until=LATER))
    expected = [position for position, outcome in enumerate(outcomes) if outcome is not SENT]
    assert [(delivery.position, delivery.attempts) for delivery in mail.pending] == [(n, 0) for n in expected]
    assert desk.journal.open_count == 1
    assert await letters(desk) == ()


async def test_a_retried_mail_has_its_whole_life_again(desk: Desk) -> None:
    """It is due at once, and its lifetime counts from the retry."""
    envelope = await failed(desk)
    await desk.journal.retry(envelope, START)
    assert await desk.due_ids(until=LATER - timedelta(milliseconds=1)) == []
    (mail,) = await desk.journal.due(due_query(until=LATER))
    assert (mail.envelope.usable_seconds, mail.envelope.running_seconds) == (500, 600)
    assert mail.envelope.made_at == NOW


async def test_a_retry_is_on_the_record(desk: Desk) -> None:
    """The mail waits again, with the last reply until the next attempt, and people see what was done when."""
    envelope = await failed(desk)
    before = await report_on(desk, envelope)
    await desk.journal.retry(envelope, START)
    report = await report_on(desk, envelope)
    assert (report.state, report.due_at, report.finished_at) == (EnvelopeState.OPEN, LATER, None)
    assert [d.reply for d in report.deliveries] == [d.reply for d in before.deliveries]
    assert report.events == (EnvelopeEvent(LATER, EnvelopeEventKind.RETRIED),)


async def test_a_retried_mail_can_be_sent_and_fail_again(desk: Desk) -> None:
    """The queue treats it as any other, and the count of open mails stays right."""
    first, second = await failed(desk), await failed(desk)
    await desk.journal.retry(first, START)
    await desk.journal.retry(second, START)
    sent, refused = await desk.journal.due(due_query(until=LATER))
    await desk.journal.record(judged(sent, [SENT, SENT], at=LATER))
    await desk.journal.record(judged(refused, [REFUSED, REFUSED], at=LATER))
    assert desk.journal.open_count == 0
    assert [letter.envelope_id for letter in await letters(desk)] == [second]


async def test_a_retry_keeps_what_may_be_sent_twice_flagged(desk: Desk) -> None:
    """A recipient whose mail was lost after the final dot may have it, whoever tries again."""
    envelope = await failed(desk, AMBIGUOUS, REFUSED)
    await desk.journal.retry(envelope, START)
    (mail,) = await desk.journal.due(due_query(until=LATER))
    assert [delivery.ambiguous for delivery in mail.deliveries] == [True, False]
    assert await desk.due_ids(until=LATER, with_ambiguous=False) == []


@pytest.mark.parametrize(("act", "kind"), [("retry", EnvelopeEventKind.RETRIED), ("drop", EnvelopeEventKind.DROPPED)])
async def test_the_id_of_the_alert_names_it_too(desk: Desk, act: str, kind: EnvelopeEventKind) -> None:
    """People see the alert's id in most places; of all dead letters just its own are meant."""
    _, envelope, _ = await failed(desk), await failed(desk), await failed(desk)
    (alert_id,) = [letter.alert_id for letter in await letters(desk) if letter.envelope_id == envelope]
    done = desk.journal.retry(alert_id, START) if act == "retry" else desk.journal.drop(alert_id, LATER)
    assert await done
    assert envelope not in [letter.envelope_id for letter in await letters(desk)]
    assert (await report_on(desk, envelope)).events == (EnvelopeEvent(LATER, kind),)
    assert len(await letters(desk)) == 2


@pytest.mark.parametrize("of_alert", [True, False], ids=["of its alert", "of the mail"])
@pytest.mark.parametrize("act", ["retry", "drop"])
@pytest.mark.parametrize("outcome", [SENT, AMBIGUOUS, None], ids=["sent", "waiting", "unknown"])
async def test_nothing_is_done_to_what_is_no_dead_letter(
    desk: Desk, act: str, outcome: Outcome | None, of_alert: bool
) -> None:
    """A mail that is sent, waits or is not there stays as it is."""
    batch = await desk.post()
    (envelope,) = envelope_ids(batch)
    if outcome is not None:
        await desk.journal.record(verdict_on(envelope, outcome))
    before = desk.journal.open_count
    named = batch.alerts[0].id if of_alert else envelope
    number = named if outcome is not None else envelope + 1
    done = desk.journal.retry(number, START) if act == "retry" else desk.journal.drop(number, LATER)
    assert not await done
    assert desk.journal.open_count == before
    assert (await report_on(desk, envelope)).events == ()


async def test_all_are_retried_step_by_step_the_oldest_first(desk: Desk) -> None:
    """Each is retried once, also one that fails again before the last step."""
    dead = [await failed(desk) for _ in range(5)]
    assert await desk.journal.retry_some(2, START) == RetryStep(2, after=dead[1])
    for mail in await desk.journal.due(due_query(until=LATER)):
        await desk.journal.record(judged(mail, [REFUSED, REFUSED], at=LATER))
    assert await desk.journal.retry_some(2, START, after=dead[1]) == RetryStep(2, after=dead[3])
    assert await desk.journal.retry_some(2, START, after=dead[3]) == RetryStep(1, after=None)
    assert sorted(await desk.due_ids(until=LATER)) == dead[2:]


async def test_without_dead_letters_there_is_nothing_to_retry(desk: Desk) -> None:
    """The first step is the last."""
    await desk.post()
    assert await desk.journal.retry_some(10, START) == RetryStep(0, after=None)
    assert desk.journal.open_count == 1


async def test_a_retry_respects_the_backlog_limit(desk: Desk) -> None:
    """As many are retried as there is room for, and without any room the answer says why."""
    dead = [await failed(desk) for _ in range(3)]
    await desk.post(BACKLOG_LIMIT - 1)
    assert await desk.journal.retry_some(3, START) == RetryStep(1, after=dead[0])
    with pytest.raises(JournalUnavailable, match="backlog_limit 1000"):
        await desk.journal.retry_some(3, START, after=dead[0])
    with pytest.raises(JournalUnavailable, match="backlog_limit 1000"):
        await desk.journal.retry(dead[1], START)
    assert desk.journal.open_count == BACKLOG_LIMIT


# Drop

DROPPED = DeliveryState.DROPPED


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [((REFUSED, DEFERRED), [DROPPED, DROPPED]), ((SENT, REFUSED), [DeliveryState.SENT, DROPPED])],
    ids=["all failed", "one was sent"],
)
async def test_a_dropped_mail_is_given_up_for_those_who_failed(
    desk: Desk, outcomes: tuple[Outcome, ...], expected: list[DeliveryState]
) -> None:
    """It is no dead letter any more, and says of each recipient what became of him."""
    envelope = await failed(desk, *outcomes)
    assert await desk.journal.drop(envelope, LATER)
    report = await report_on(desk, envelope)
    assert (report.state, states(report)) == (EnvelopeState.DROPPED, expected)
    assert await letters(desk) == ()
    assert not await desk.journal.retry(envelope, START)


async def test_a_drop_is_on_the_record(desk: Desk) -> None:
    """The relay's last reply and the time of the failure stay."""
    envelope = await failed(desk)
    before = await report_on(desk, envelope)
    await desk.journal.drop(envelope, LATER)
    report = await report_on(desk, envelope)
    assert report.events == (EnvelopeEvent(LATER, EnvelopeEventKind.DROPPED),)
    assert report.finished_at == before.finished_at
    assert report.deliveries == tuple(replace(d, state=DROPPED) for d in before.deliveries)


async def test_dropped_mails_can_be_listed(desk: Desk) -> None:
    """What a person gave up is found by its state among the others."""
    dropped, _ = await failed(desk), await failed(desk)
    await desk.journal.drop(dropped, LATER)
    ((line,),) = await desk.pages(10, state=EnvelopeState.DROPPED)
    assert (line.envelope_ids, line.state) == ((dropped,), EnvelopeState.DROPPED)
    assert len((await desk.pages(10, state=EnvelopeState.FAILED))[0]) == 1
