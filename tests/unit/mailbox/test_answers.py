"""Answers of people to alerts, from the mail to what the journal and the person know of it."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from app.domain.access import AllowedRecipients
from app.domain.acknowledgement import AckAction, AckDoor, AckEvent, standing
from app.domain.alert import Alert
from app.domain.envelope import QueuedMail
from app.domain.mail_read import MailboxName
from app.mail.message_id import MessageIds
from app.mail.reading.reader import read_message
from tests.support.clock import NOW
from tests.support.mailbox_site import BACKLOG_LIMIT, NAME, MailboxSite

HOURS = timedelta(hours=1)
NUMBERS = count(1)


def answer(site: MailboxSite, mail: QueuedMail, text: str, *, sender: str = "ops@example.org", more: str = "") -> bytes:
    """Return what a person writes in answer to `mail`."""
    message_id = read_message(site.rendered(mail)).message_id
    return (
        f"From: Somebody <{sender}>\r\nTo: alerts@example.org\r\nSubject: Re: disk full\r\n"
        f"Message-ID: <reply-{next(NUMBERS)}@mail.example.org>\r\n"
        f"In-Reply-To: {message_id}\r\nReferences: {message_id}\r\n"
        f"{more}\r\n{text}\r\n\r\n> ack\r\n"
    ).encode()


async def events(site: MailboxSite, mail: QueuedMail) -> list[AckEvent]:
    """Return what the journal knows."""
    report = await site.journal.find(mail.envelope.alert_id)
    assert report is not None
    return list(report.acknowledgements)


async def receive(site: MailboxSite, *mails: bytes) -> None:
    """Let the mails come and be read."""
    await site.poll()
    for number, data in enumerate(mails):
        site.mailbox.put(f"{len(site.mailbox.mails)}-{number}", data)
    await site.poll()


async def test_ack_acknowledges_and_is_confirmed(site: MailboxSite) -> None:
    """Who, when, how and until when are in the journal, and the person hears of it in the same thread."""
    mail = await site.alert_mail()
    await receive(site, answer(site, mail, "ack 2h"))
    (event,) = await events(site, mail)
    assert (event.action, event.who, event.how) == (AckAction.ACKNOWLEDGED, "ops@example.org", AckDoor.REPLY)
    assert (event.at, event.until) == (NOW, NOW + 2 * HOURS)
    assert site.acknowledgements.holds(mail.envelope.alert_id)
    (confirmation,) = await site.waiting()
    assert [to.address for to in confirmation.letterhead.recipients] == ["ops@example.org"]
    read = read_message(site.rendered(confirmation))
    assert read.in_reply_to == (event.source,)
    assert read.auto_submitted == "auto-replied"
    assert "until 2026-03-04 07:06 UTC" in confirmation.accepted.alert.content


async def test_an_acknowledgement_ends_by_itself(site: MailboxSite) -> None:
    """Then alarms are raised again."""
    mail = await site.alert_mail()
    await receive(site, answer(site, mail, "ack 2h"))
    site.clock.pass_time(2 * HOURS)
    assert not site.acknowledgements.holds(mail.envelope.alert_id)


async def test_two_hours_count_from_when_they_were_promised(site: MailboxSite) -> None:
    """The mailbox may have been out of reach meanwhile."""
    mail = await site.alert_mail()
    await receive(site, answer(site, mail, "ack 2h", more="Date: Wed, 4 Mar 2026 04:06:07 +0000\r\n"))
    (event,) = await events(site, mail)
    assert event.until == NOW.replace(microsecond=0) + HOURS


async def test_a_second_answer_replaces_the_first(site: MailboxSite) -> None:
    """And "unack", in answer to the confirmation, takes it back."""
    mail = await site.alert_mail()
    await receive(site, answer(site, mail, "ack 2h"), answer(site, mail, "ack", sender="boss@example.org"))
    assert standing(await events(site, mail), NOW + 3 * HOURS) is not None
    confirmation = (await site.waiting())[0]
    await receive(site, answer(site, confirmation, "unack"))
    assert [event.action for event in await events(site, mail)][-1] is AckAction.TAKEN_BACK
    assert not site.acknowledgements.holds(mail.envelope.alert_id)


async def test_acknowledgements_survive_a_restart(site: MailboxSite) -> None:
    """In memory too, where alarms ask for them."""
    mail = await site.alert_mail()
    await receive(site, answer(site, mail, "ack"))
    await site.start()
    assert site.acknowledgements.holds(mail.envelope.alert_id)


@pytest.mark.parametrize(
    ("sender", "allowed"),
    [("dana@example.org", True), ("mallory@elsewhere.example", False)],
    ids=["domain", "stranger"],
)
async def test_only_recipients_and_their_domains_are_heard(site: MailboxSite, sender: str, allowed: bool) -> None:
    """A stranger who got hold of the mail acknowledges nothing, and gets no answer."""
    mail = await site.alert_mail()
    await receive(site, answer(site, mail, "ack", sender=sender))
    assert bool(await events(site, mail)) is allowed
    assert bool(await site.waiting()) is allowed


async def test_ack_from_says_who_else_is_heard(site: MailboxSite) -> None:
    """For people who read a group's mail under another address."""
    site.ack_from = AllowedRecipients.of(["corp.example"])
    await site.start()
    mail = await site.alert_mail()
    await receive(
        site, answer(site, mail, "ack", sender="a@corp.example"), answer(site, mail, "ack", sender="b@example.org")
    )
    assert [event.who for event in await events(site, mail)] == ["a@corp.example"]


async def test_a_forged_mail_acknowledges_nothing(site: MailboxSite) -> None:
    """The MAC of a Message-ID cannot be guessed; the mail is none of ours then, and becomes an alert."""
    mail = await site.alert_mail()
    token = MessageIds(site.journal.mac_key).envelope_token(mail.envelope)
    forged = answer(site, mail, "ack").replace(token[-6:].encode(), b"000000")
    await receive(site, forged)
    assert await events(site, mail) == []
    assert len(await site.waiting()) == 1


async def test_robots_are_neither_heard_nor_answered(site: MailboxSite) -> None:
    """An autoresponder that says "ack" is still one."""
    mail = await site.alert_mail()
    await receive(site, answer(site, mail, "ack", more="Auto-Submitted: auto-replied\r\n"))
    assert await events(site, mail) == []
    assert await site.waiting() == []


async def test_a_robot_that_sends_the_confirmation_back_goes_round_no_circle(site: MailboxSite) -> None:
    """Our own words acknowledge nothing."""
    mail = await site.alert_mail()
    await receive(site, answer(site, mail, "ack"))
    (confirmation,) = await site.waiting()
    await receive(site, answer(site, confirmation, confirmation.accepted.alert.content))
    assert len(await site.waiting()) == 1
    assert len(await events(site, mail)) == 1


async def test_confirmations_to_one_person_are_bounded(site: MailboxSite) -> None:
    """A robot that hides that it is one gets thirty an hour at the most; what it says is recorded all the same."""
    mail = await site.alert_mail()
    await receive(site, *(answer(site, mail, "ack") for _ in range(40)))
    assert len(await events(site, mail)) == 40
    assert len(await site.waiting()) == 30


async def test_confirmations_can_be_turned_off(site: MailboxSite) -> None:
    """Some sites want no mail about mail."""
    site.confirms = False
    await site.start()
    mail = await site.alert_mail()
    await receive(site, answer(site, mail, "ack"))
    assert len(await events(site, mail)) == 1
    assert await site.waiting() == []


async def test_http_and_mail_replace_each_other(site: MailboxSite) -> None:
    """There is one acknowledgement, however it came."""
    mail = await site.alert_mail()
    await receive(site, answer(site, mail, "ack"))
    undone = AckEvent(at=NOW, action=AckAction.TAKEN_BACK, who="root", how=AckDoor.COMMAND)
    assert await site.acknowledgements.acknowledge(mail.envelope.alert_id, undone)
    assert not site.acknowledgements.holds(mail.envelope.alert_id)
    assert not await site.acknowledgements.acknowledge(12345, undone)


async def test_an_answer_to_what_was_pruned_is_left_alone(site: MailboxSite) -> None:
    """It is on record as read, and nobody is told anything."""
    mail = await site.alert_mail()
    gone = replace(mail, envelope=replace(mail.envelope, id=mail.envelope.id + 1_000_000))
    await receive(site, answer(site, gone, "ack"))
    assert await site.waiting() == []
    assert await events(site, mail) == []
    assert await site.journal.mailbox.recorded(MailboxName(NAME, "1")) == list(site.mailbox.mails)


async def test_the_same_mail_counts_once(site: MailboxSite) -> None:
    """A mail that somebody filed and moved back has another uid, and says nothing new."""
    mail = await site.alert_mail()
    said = answer(site, mail, "ack")
    await receive(site, said, answer(site, mail, "unack"))
    await receive(site, said)
    assert not site.acknowledgements.holds(mail.envelope.alert_id)
    assert len(await events(site, mail)) == 2


async def test_a_full_backlog_costs_the_confirmation_alone(site: MailboxSite) -> None:
    """What a person says needs no room in it."""
    mail = await site.alert_mail()
    await site.poll()
    for _ in range(BACKLOG_LIMIT):
        await site.ingest.accept([Alert(subject="waits")])
    await receive(site, answer(site, mail, "ack"))
    assert site.acknowledgements.holds(mail.envelope.alert_id)
    assert len(await site.waiting()) == BACKLOG_LIMIT


async def test_who_names_a_confirmation_means_its_alert(site: MailboxSite) -> None:
    """By HTTP and by command too."""
    mail = await site.alert_mail()
    await receive(site, answer(site, mail, "ack"))
    (confirmation,) = await site.waiting()
    undone = AckEvent(at=NOW, action=AckAction.TAKEN_BACK, who="root", how=AckDoor.HTTP)
    assert await site.acknowledgements.acknowledge(confirmation.envelope.alert_id, undone)
    assert not site.acknowledgements.holds(mail.envelope.alert_id)
