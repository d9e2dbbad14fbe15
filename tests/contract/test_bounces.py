"""What every journal changes when a mail comes back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.bounce import BouncedRecipient, BounceEffect, BounceKind, BounceReport
from app.domain.dead_letter import EnvelopeEventKind
from app.domain.envelope import Delivery, DeliveryState, EnvelopeState, QueuedMail
from app.domain.mail_read import AfterReading, MailboxName, MailRead, RemovableMail, UnreadMail
from app.domain.outcome import Outcome
from app.domain.ports import FreshStart
from app.domain.report import EnvelopeReport
from app.domain.verdict import expire
from tests.support.clock import NOW
from tests.support.desk import Desk
from tests.support.factories import AMBIGUOUS, DEFERRED, LETTERHEAD, REFUSED, SENT, an_attempt, due_query, judged

BOX = MailboxName("box")
LATER = NOW + timedelta(hours=1)
OPS, BOSS = (mailbox.address for mailbox in LETTERHEAD.recipients)
AGAIN = FreshStart(at=LATER, usable_seconds=0, running_seconds=0)
BOUNCED, DELAYED, PENDING = DeliveryState.BOUNCED, DeliveryState.DELAYED, DeliveryState.PENDING


async def a_mail(desk: Desk, *outcomes: Outcome) -> QueuedMail:
    """Return a mail as the sender holds it before an attempt, whose two recipients met these outcomes in it."""
    await desk.journal.mailbox.begin_poll(BOX, [])
    batch = await desk.post()
    (mail,) = [m for m in await desk.journal.due(due_query()) if m.envelope.id == batch.envelopes[0].id]
    if outcomes:
        await desk.journal.record(judged(mail, outcomes))
    return mail


async def bounce(
    desk: Desk,
    mail: QueuedMail,
    *addresses: str,
    kind: BounceKind = BounceKind.FAILED,
    after: int = 0,
    uid: str = "1",
    is_final: bool = False,
) -> BounceEffect | None:
    """Let a report on these recipients come in."""
    told = tuple(
        BouncedRecipient(kind=kind, address=address, status="5.1.1", reply="550 5.1.1 gone", remote="mx.example.net")
        for address in addresses
    )
    report = BounceReport(envelope_id=mail.envelope.id, recipients=told)
    read = MailRead(mailbox=BOX, uid=uid, at=LATER, what="bounce", then=AfterReading.DELETE)
    return await desk.journal.mailbox.take_bounce(report, read, set_aside_after=after, is_final=is_final)


async def report_on(desk: Desk, mail: QueuedMail) -> EnvelopeReport:
    """Return what people are told of the mail."""
    report = await desk.journal.find(mail.accepted.id)
    assert report is not None
    return report.envelopes[0]


def states(deliveries: tuple[Delivery, ...]) -> list[DeliveryState]:
    """Return where each recipient stands."""
    return [delivery.state for delivery in deliveries]


async def open_counts(desk: Desk) -> tuple[int, int]:
    """Return how many mails wait, as counted and as due."""
    return desk.journal.open_count, len(await desk.due_ids(until=NOW + timedelta(days=9)))


async def test_a_bounce_is_the_outcome_of_its_recipient(desk: Desk) -> None:
    """With the words of the server behind the relay; what the relay did stays, and the others are left alone."""
    mail = await a_mail(desk, SENT, SENT)
    before = await report_on(desk, mail)
    effect = await bounce(desk, mail, OPS)
    after = await report_on(desk, mail)
    bounced = replace(
        before.deliveries[0],
        state=BOUNCED,
        reason="mailbox does not exist",
        reply="550 5.1.1 gone",
        remote="mx.example.net",
    )
    assert after.deliveries == (bounced, before.deliveries[1])
    assert effect is not None
    assert effect.touched == (bounced,)
    assert effect.mail == await desk.journal.mail(mail.envelope.id)
    assert effect.mail.deliveries == after.deliveries


FINISHED = {
    "one of two": ((SENT, SENT), [OPS], EnvelopeState.PARTLY_SENT, [OPS]),
    "both": ((SENT, SENT), [OPS, BOSS], EnvelopeState.FAILED, [OPS, BOSS]),
    "the one that was sent": ((SENT, REFUSED), [OPS], EnvelopeState.FAILED, [OPS, BOSS]),
}


@pytest.mark.parametrize(("outcomes", "addresses", "state", "failed"), FINISHED.values(), ids=FINISHED.keys())
async def test_a_finished_mail_becomes_a_dead_letter(
    desk: Desk, outcomes: tuple[Outcome, ...], addresses: list[str], state: EnvelopeState, failed: list[str]
) -> None:
    """From the time of the bounce on; nothing waits because of it."""
    mail = await a_mail(desk, *outcomes)
    effect = await bounce(desk, mail, *addresses)
    report = await report_on(desk, mail)
    (letter,) = (await desk.journal.dead_letters(before=None, limit=9)).letters
    assert (report.state, report.finished_at) == (state, LATER)
    assert effect is not None
    assert effect.mail.envelope.state is state
    assert (letter.envelope_id, letter.failed_at) == (mail.envelope.id, LATER)
    assert [mailbox.address for mailbox, _ in letter.failed] == failed
    assert await open_counts(desk) == (0, 0)


async def test_its_alert_is_listed_as_what_it_is(desk: Desk) -> None:
    """Like one that a relay refused."""
    mail = await a_mail(desk, SENT, SENT)
    await bounce(desk, mail, OPS, BOSS)
    ((line,),) = await desk.pages(10, state=EnvelopeState.FAILED)
    assert (line.id, line.state) == (mail.accepted.id, EnvelopeState.FAILED)
    assert await desk.pages(10, state=EnvelopeState.SENT) == [[]]


async def test_a_delay_changes_no_more_than_its_recipient(desk: Desk) -> None:
    """The mail is sent, and may arrive yet."""
    mail = await a_mail(desk, SENT, SENT)
    effect = await bounce(desk, mail, OPS, kind=BounceKind.DELAYED)
    report = await report_on(desk, mail)
    assert states(report.deliveries) == [DELAYED, DeliveryState.SENT]
    assert (report.state, report.finished_at) == (EnvelopeState.SENT, NOW)
    assert effect is not None
    assert (effect.mail.envelope.state, states(effect.touched)) == (EnvelopeState.SENT, [DELAYED])
    assert (await desk.journal.dead_letters(before=None, limit=9)).letters == ()


async def test_a_bounce_follows_a_delay(desk: Desk) -> None:
    """What was delayed has come back in the end."""
    mail = await a_mail(desk, SENT, SENT)
    await bounce(desk, mail, OPS, kind=BounceKind.DELAYED)
    await bounce(desk, mail, OPS, uid="2")
    report = await report_on(desk, mail)
    assert (states(report.deliveries)[0], report.state) == (BOUNCED, EnvelopeState.PARTLY_SENT)


async def test_a_report_that_comes_again_changes_nothing(desk: Desk) -> None:
    """It was read all the same."""
    mail = await a_mail(desk, SENT, SENT)
    await bounce(desk, mail, OPS)
    before = await report_on(desk, mail)
    effect = await bounce(desk, mail, OPS, uid="2")
    assert effect is not None
    assert effect.touched == ()
    assert await report_on(desk, mail) == before
    assert sorted(await desk.journal.mailbox.recorded(BOX)) == ["1", "2"]


async def test_a_report_on_an_unknown_mail_is_read(desk: Desk) -> None:
    """It may be pruned by now; the report is to go from the server like any other."""
    mail = await a_mail(desk)
    unknown = replace(mail, envelope=replace(mail.envelope, id=mail.envelope.id + 1000))
    assert await bounce(desk, unknown, OPS) is None
    assert [removable.uid for removable in await desk.journal.mailbox.to_remove(BOX)] == ["1"]


# A mail that is still open for others


OTHERS = {
    "sent": (SENT, EnvelopeState.PARTLY_SENT),
    "refused": (REFUSED, EnvelopeState.FAILED),
}


@pytest.mark.parametrize(("outcome", "state"), OTHERS.values(), ids=OTHERS.keys())
async def test_the_sender_closes_a_mail_of_whose_bounce_it_knows_nothing(
    desk: Desk, outcome: Outcome, state: EnvelopeState
) -> None:
    """It holds the recipient as sent; the journal knows better, and the mail is a dead letter."""
    await a_mail(desk, SENT, DEFERRED)
    (held,) = await desk.journal.due(due_query(until=LATER))
    effect = await bounce(desk, held, OPS)
    assert effect is not None
    assert effect.mail.envelope.state is EnvelopeState.OPEN
    assert (await report_on(desk, held)).finished_at is None
    await desk.journal.record(judged(held, [outcome], at=LATER + timedelta(hours=1)))
    report = await report_on(desk, held)
    assert (report.state, report.finished_at) == (state, LATER + timedelta(hours=1))
    assert states(report.deliveries)[0] is BOUNCED
    assert report.deliveries[0].remote == "mx.example.net"
    assert await open_counts(desk) == (0, 0)


async def test_another_deferral_leaves_it_open(desk: Desk) -> None:
    """For those who still wait."""
    await a_mail(desk, SENT, DEFERRED)
    (held,) = await desk.journal.due(due_query(until=LATER))
    await bounce(desk, held, OPS)
    await desk.journal.record(judged(held, [AMBIGUOUS], at=LATER))
    assert states((await report_on(desk, held)).deliveries) == [BOUNCED, PENDING]
    assert await open_counts(desk) == (1, 1)


async def test_a_delay_does_not_spoil_a_mail_that_is_closed(desk: Desk) -> None:
    """Delayed is handed over."""
    await a_mail(desk, SENT, DEFERRED)
    (held,) = await desk.journal.due(due_query(until=LATER))
    await bounce(desk, held, OPS, kind=BounceKind.DELAYED)
    await desk.journal.record(judged(held, [SENT], at=LATER))
    report = await report_on(desk, held)
    assert (report.state, states(report.deliveries)) == (EnvelopeState.SENT, [DELAYED, DeliveryState.SENT])


async def test_all_who_got_it_may_lose_it_again(desk: Desk) -> None:
    """A delayed recipient counts as one who has it, as long as it does not come back."""
    await a_mail(desk, SENT, DEFERRED)
    (held,) = await desk.journal.due(due_query(until=LATER))
    await bounce(desk, held, OPS)
    await desk.journal.record(judged(held, [SENT], at=LATER))
    await bounce(desk, held, BOSS, kind=BounceKind.DELAYED, uid="2")
    between = await report_on(desk, held)
    await bounce(desk, held, BOSS, uid="3")
    after = await report_on(desk, held)
    assert (between.state, states(between.deliveries)) == (EnvelopeState.PARTLY_SENT, [BOUNCED, DELAYED])
    assert (after.state, states(after.deliveries)) == (EnvelopeState.FAILED, [BOUNCED, BOUNCED])


# What people do about it


async def test_what_came_back_is_sent_again(desk: Desk) -> None:
    """To those for whom it did, and to nobody else; then it is sent like any other mail."""
    mail = await a_mail(desk, SENT, SENT)
    await bounce(desk, mail, BOSS)
    await bounce(desk, mail, OPS, kind=BounceKind.DELAYED, uid="2")
    assert await desk.journal.retry(mail.envelope.id, AGAIN)
    (held,) = await desk.journal.due(due_query(until=LATER))
    assert [delivery.position for delivery in held.pending] == [1]
    assert states(held.deliveries) == [DELAYED, PENDING]
    await desk.journal.record(judged(held, [SENT], at=LATER))
    report = await report_on(desk, mail)
    assert (report.state, states(report.deliveries)) == (EnvelopeState.SENT, [DELAYED, DeliveryState.SENT])
    assert [event.kind for event in report.events] == [EnvelopeEventKind.RETRIED]


async def test_the_next_attempt_speaks_for_itself(desk: Desk) -> None:
    """Until then the words of the server behind the relay stay, for people to read."""
    mail = await a_mail(desk, SENT, SENT)
    await bounce(desk, mail, OPS)
    await desk.journal.retry(mail.envelope.id, AGAIN)
    (held,) = await desk.journal.due(due_query(until=LATER))
    assert (held.deliveries[0].remote, held.deliveries[0].reply) == ("mx.example.net", "550 5.1.1 gone")
    await desk.journal.record(judged(held, [REFUSED], at=LATER))
    after = (await report_on(desk, mail)).deliveries[0]
    assert (after.remote, after.reply) == ("", str(REFUSED.reply))


async def test_what_expires_without_another_attempt_keeps_the_last_words(desk: Desk) -> None:
    """And says whose they are."""
    mail = await a_mail(desk, SENT, SENT)
    await bounce(desk, mail, OPS)
    await desk.journal.retry(mail.envelope.id, AGAIN)
    (held,) = await desk.journal.due(due_query(until=LATER))
    await desk.journal.record(expire(held, an_attempt(at=LATER)))
    after = (await report_on(desk, mail)).deliveries[0]
    assert after.state is DeliveryState.EXPIRED
    assert (after.remote, after.reply) == ("mx.example.net", "550 5.1.1 gone")


async def test_what_came_back_is_given_up(desk: Desk) -> None:
    """On the record, as any dead letter."""
    mail = await a_mail(desk, SENT, SENT)
    await bounce(desk, mail, OPS)
    assert await desk.journal.drop(mail.envelope.id, LATER)
    report = await report_on(desk, mail)
    assert (report.state, states(report.deliveries)) == (
        EnvelopeState.DROPPED,
        [DeliveryState.DROPPED, DeliveryState.SENT],
    )


async def test_a_mail_is_found_whatever_its_state(desk: Desk) -> None:
    """An answer to it may come after weeks."""
    mail = await a_mail(desk, SENT, SENT)
    found = await desk.journal.mail(mail.envelope.id)
    assert found is not None
    assert (found.envelope.state, found.accepted) == (EnvelopeState.SENT, mail.accepted)
    assert states(found.deliveries) == [DeliveryState.SENT, DeliveryState.SENT]
    assert await desk.journal.mail(mail.envelope.id + 1000) is None


async def test_a_report_before_the_outcome_waits(desk: Desk) -> None:
    """With VERP the bounce of one can overtake the outcomes of all: nothing of it is lost, and it is read again."""
    mail = await a_mail(desk)
    early = await bounce(desk, mail, OPS)
    assert early is not None
    assert (early.is_early, early.touched) == (True, ())
    assert await desk.journal.mailbox.unread(BOX, ["1"]) == [UnreadMail("1")]
    await desk.journal.record(judged(mail, [SENT, SENT]))
    late = await bounce(desk, mail, OPS)
    assert late is not None
    assert (late.is_early, states(late.touched)) == (False, [BOUNCED])


async def test_a_report_that_stays_too_early_is_read_and_stays(desk: Desk) -> None:
    """A mail that is tried for days was handed over once, perhaps; a person may want to know."""
    mail = await a_mail(desk, DEFERRED, DEFERRED)
    effect = await bounce(desk, mail, OPS, is_final=True)
    assert effect is not None
    assert effect.is_early
    assert await desk.journal.mailbox.unread(BOX, ["1"]) == []
    assert await desk.journal.mailbox.to_remove(BOX) == []


async def test_what_a_final_report_says_of_others_is_taken(desk: Desk) -> None:
    """It came too early for one recipient, for whom it stays; the other one has bounced."""
    mail = await a_mail(desk, DEFERRED, SENT)
    effects = [await bounce(desk, mail, OPS, BOSS, is_final=is_final) for is_final in (False, True)]
    touched = [[delivery.position for delivery in effect.touched] for effect in effects if effect is not None]
    assert touched == [[], [1]]
    assert await desk.journal.mailbox.unread(BOX, ["1"]) == []
    assert await desk.journal.mailbox.to_remove(BOX) == []


async def test_a_report_on_nobody_who_is_known_stays(desk: Desk) -> None:
    """It says something, if not of whom; one that comes again says nothing new, and goes."""
    mail = await a_mail(desk, SENT, SENT)
    effect = await bounce(desk, mail, "alias@elsewhere.example")
    assert effect is not None
    assert [told.address for told in effect.unplaced] == ["alias@elsewhere.example"]
    assert await desk.journal.mailbox.to_remove(BOX) == []
    for uid in ("2", "3"):
        await bounce(desk, mail, OPS, uid=uid)
    gone = [RemovableMail(uid, AfterReading.DELETE) for uid in ("2", "3")]
    assert await desk.journal.mailbox.to_remove(BOX) == gone
