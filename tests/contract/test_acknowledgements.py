"""What every journal keeps of acknowledgements."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.domain.acknowledgement import AckAction, AckDoor, AckEvent
from app.domain.alert import Severity
from app.domain.feedback import Feedback
from app.domain.mail_read import MailboxName, MailRead
from tests.support.clock import NOW
from tests.support.desk import Desk, envelope_ids

HOUR = timedelta(hours=1)


def an_event(
    *, until: datetime | None = None, action: AckAction = AckAction.ACKNOWLEDGED, who: str = "ann@example.org"
) -> AckEvent:
    """Return what somebody said by mail."""
    return AckEvent(at=NOW, action=action, who=who, how=AckDoor.REPLY, until=until)


TAKEN_BACK = an_event(action=AckAction.TAKEN_BACK, who="bob")


async def an_alert(desk: Desk, *events: AckEvent) -> int:
    """Return an alert to which these things were done."""
    alert_id = (await desk.post()).alerts[0].id
    for event in events:
        assert await desk.journal.acknowledge(alert_id, event)
    return alert_id


async def events_of(desk: Desk, alert_id: int) -> tuple[AckEvent, ...]:
    """Return what people are told of the alert."""
    report = await desk.journal.find(alert_id)
    assert report is not None
    return report.acknowledgements


async def test_all_events_are_on_the_record(desk: Desk) -> None:
    """Who, when, until, and how, in their order."""
    events = (an_event(until=NOW + HOUR), an_event(who="bob"), TAKEN_BACK)
    assert await events_of(desk, await an_alert(desk, *events)) == events
    assert await events_of(desk, await an_alert(desk)) == ()


STANDING = {
    "none": ((), {}),
    "without an end": ((an_event(),), {"until": None}),
    "for a while": ((an_event(until=NOW + HOUR),), {"until": NOW + HOUR}),
    "over": ((an_event(until=NOW),), {}),
    "the second replaces the first": ((an_event(), an_event(until=NOW + HOUR)), {"until": NOW + HOUR}),
    "a second that is over": ((an_event(), an_event(until=NOW)), {}),
    "taken back": ((an_event(), TAKEN_BACK), {}),
    "taken back twice": ((TAKEN_BACK, TAKEN_BACK), {}),
    "again": ((an_event(), TAKEN_BACK, an_event()), {"until": None}),
}


@pytest.mark.parametrize(("events", "expected"), STANDING.values(), ids=STANDING.keys())
async def test_the_last_event_counts(
    desk: Desk, events: tuple[AckEvent, ...], expected: dict[str, datetime | None]
) -> None:
    """As long as its time is not over."""
    alert_id = await an_alert(desk, *events)
    await an_alert(desk)
    assert await desk.journal.acknowledged(NOW) == dict.fromkeys([alert_id] if expected else [], expected.get("until"))


async def test_it_holds_until_its_end(desk: Desk) -> None:
    """Not a moment longer."""
    alert_id = await an_alert(desk, an_event(until=NOW + HOUR))
    assert await desk.journal.acknowledged(NOW + HOUR - timedelta(milliseconds=1)) == {alert_id: NOW + HOUR}
    assert await desk.journal.acknowledged(NOW + HOUR) == {}


async def test_they_come_in_the_order_in_which_they_were_given(desk: Desk) -> None:
    """Whoever cannot hold them all leaves out the oldest."""
    first, second = await an_alert(desk, an_event()), await an_alert(desk, an_event())
    await desk.journal.acknowledge(first, an_event())
    assert list(await desk.journal.acknowledged(NOW)) == [second, first]


async def test_an_alert_that_is_not_known_cannot_be_acknowledged(desk: Desk) -> None:
    """It may be pruned by now."""
    alert_id = await an_alert(desk)
    assert not await desk.journal.acknowledge(alert_id + 1000, an_event())
    assert await desk.journal.acknowledged(NOW) == {}


async def test_it_is_taken_together_with_the_mail_that_told_it(desk: Desk) -> None:
    """And with the confirmation: one transaction."""
    box = MailboxName("box")
    await desk.journal.mailbox.begin_poll(box, [])
    alert_id, event = await an_alert(desk), an_event()
    read = MailRead(mailbox=box, uid="1", at=NOW, what="acknowledgement")
    confirmation = desk.make.batch()
    feedback = Feedback(reads=(read,), acknowledgements=((alert_id, event), (alert_id + 1000, event)))
    await desk.journal.accept(confirmation.alerts, confirmation.envelopes, feedback=feedback)
    assert await events_of(desk, alert_id) == (event,)
    assert await desk.journal.acknowledged(NOW) == {alert_id: None}
    assert await desk.journal.mailbox.recorded(box) == ["1"]


async def test_what_somebody_sees_to_is_no_delay(desk: Desk) -> None:
    """Until the acknowledgement ends, the alarms about what waits pass its mails over."""
    first = await desk.post(running_seconds=1, severity=Severity.CRITICAL)
    second = await desk.post(running_seconds=2, severity=Severity.CRITICAL)
    await desk.journal.acknowledge(first.alerts[0].id, an_event(until=NOW + HOUR))
    waiting = [await desk.journal.oldest_waiting(Severity.CRITICAL, unacknowledged_at=at) for at in (NOW, NOW + HOUR)]
    overdue = [
        await desk.journal.overdue(made_before=9, after=0, limit=9, unacknowledged_at=at) for at in (NOW, NOW + HOUR)
    ]
    assert waiting == [2, 1]
    assert [[mail.envelope.id for mail in mails] for mails in overdue] == [
        envelope_ids(second),
        envelope_ids(first) + envelope_ids(second),
    ]


async def test_a_mail_whose_alert_somebody_sees_to_expires_like_any_other(desk: Desk) -> None:
    """Nobody has it yet, and its lifetime goes on."""
    batch = await desk.post()
    await desk.journal.acknowledge(batch.alerts[0].id, an_event())
    assert await desk.journal.oldest_waiting(Severity.INFO, unacknowledged_at=NOW) is None
    (mail,) = await desk.journal.overdue(made_before=0, after=0, limit=9)
    assert mail.envelope.id == batch.envelopes[0].id
    assert await desk.due_ids() == envelope_ids(batch)


async def test_the_same_mail_says_nothing_new(desk: Desk) -> None:
    """One that is found again, under another uid, takes back no later word."""
    said = replace(an_event(), source="<answer-1@mail.example.org>")
    alert_id = await an_alert(desk, said, TAKEN_BACK)
    assert await desk.journal.acknowledge(alert_id, said)
    assert await events_of(desk, alert_id) == (said, TAKEN_BACK)
    assert await desk.journal.acknowledged(NOW) == {}
    other = await an_alert(desk, said)
    assert await desk.journal.acknowledged(NOW) == {other: None}
