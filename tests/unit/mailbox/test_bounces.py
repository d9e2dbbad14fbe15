"""Mails that come back, from the report in the mailbox to the alert, the dead letter and the alarm."""

from dataclasses import replace

from app.domain.acknowledgement import AckAction, AckDoor, AckEvent
from app.domain.alert import Alert
from app.domain.envelope import DeliveryState, EnvelopeState, QueuedMail
from app.mail.message_id import MessageIds
from tests.support.factories import SENT, judged
from tests.support.mailbox_site import MailboxSite


def report(
    site: MailboxSite, mail: QueuedMail, recipient: str, *, action: str = "failed", status: str = "5.1.1"
) -> bytes:
    """Return the report of a server behind the relay."""
    token = MessageIds(site.journal.mac_key).envelope_token(mail.envelope)
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.org\r\nTo: alerts@example.org\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.example.org\r\nOriginal-Envelope-Id: {token}\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Remote-MTA: dns; mx2.example.org\r\nDiagnostic-Code: smtp; 550 {status} no such user\r\n"
        "--b--\r\n"
    ).encode()


async def receive(site: MailboxSite, *mails: bytes) -> None:
    """Let the mails come and be read."""
    await site.poll()
    for data in mails:
        site.mailbox.put(str(len(site.mailbox.fetched) + len(site.mailbox.mails)), data)
    await site.poll()


async def test_a_bounce_shows_at_its_recipient(site: MailboxSite) -> None:
    """With the remote server's words; it is a dead letter and an alarm, and the report is gone from the server."""
    mail = await site.alert_mail()
    await receive(site, report(site, mail, "ops@example.org"))
    found = await site.journal.find(mail.envelope.alert_id)
    assert found is not None
    (envelope,) = found.envelopes
    assert envelope.state is EnvelopeState.PARTLY_SENT
    ops, boss = envelope.deliveries
    assert (ops.state, ops.remote, boss.state) == (DeliveryState.BOUNCED, "mx2.example.org", DeliveryState.SENT)
    assert ops.reply == "550 5.1.1 no such user"
    (alarm,) = site.alarms
    assert "The server mx2.example.org said: 550 5.1.1 no such user" in alarm.text
    assert "mailalert queue retry" in alarm.text
    assert site.mailbox.mails == {}


async def test_a_delay_is_shown_and_is_no_alarm(site: MailboxSite) -> None:
    """The mail may still arrive."""
    mail = await site.alert_mail()
    await receive(site, report(site, mail, "ops@example.org", action="delayed", status="4.4.1"))
    found = await site.journal.find(mail.envelope.alert_id)
    assert found is not None
    assert found.envelopes[0].state is EnvelopeState.SENT
    assert found.envelopes[0].deliveries[0].state is DeliveryState.DELAYED
    assert site.alarms == []


async def test_a_recipient_that_bounces_again_and_again_is_set_aside_with_an_alarm(site: MailboxSite) -> None:
    """Never silently; and another one is not touched by it."""
    mails = [await site.alert_mail(subject=f"alert {number}") for number in range(2)]
    await receive(site, *(report(site, mail, "ops@example.org") for mail in mails))
    assert site.set_aside.includes("OPS@example.org")
    assert not site.set_aside.includes("boss@example.org")
    await site.start()
    assert site.set_aside.includes("ops@example.org")
    (alarm,) = site.set_aside.troubles()
    assert alarm.subject == "No more mail goes to ops@example.org"
    assert "550 5.1.1 no such user" in alarm.text


async def test_bounces_of_an_acknowledged_alert_raise_no_alarm(site: MailboxSite) -> None:
    """Somebody sees to it already."""
    mail = await site.alert_mail()
    event = AckEvent(at=site.clock.now(), action=AckAction.ACKNOWLEDGED, who="root", how=AckDoor.HTTP)
    await site.acknowledgements.acknowledge(mail.envelope.alert_id, event)
    await receive(site, report(site, mail, "ops@example.org"))
    site.held.release()
    assert site.alarms == []
    undone = replace(event, action=AckAction.TAKEN_BACK)
    await site.acknowledgements.acknowledge(mail.envelope.alert_id, undone)
    site.held.release()
    assert len(site.alarms) == 1


async def test_a_report_that_names_nobody_of_ours_is_told_and_kept(site: MailboxSite) -> None:
    """An alias has another address, and its server told nothing of ours."""
    mail = await site.alert_mail()
    await receive(site, report(site, mail, "alias@elsewhere.example"))
    (alarm,) = site.alarms
    assert "alias@elsewhere.example" in alarm.text
    assert len(site.mailbox.mails) == 1


async def test_a_report_that_overtakes_the_outcome_is_read_again(site: MailboxSite) -> None:
    """With VERP a bounce may be here before the relay has taken the mail for everybody."""
    (alert_id,) = (await site.ingest.accept([Alert(subject="slow")])).ids
    (mail,) = await site.waiting()
    await receive(site, report(site, mail, "ops@example.org"))
    assert len(site.mailbox.mails) == 1
    await site.journal.record(judged(mail, [SENT, SENT]))
    await site.poll()
    found = await site.journal.find(alert_id)
    assert found is not None
    assert found.envelopes[0].deliveries[0].state is DeliveryState.BOUNCED
    assert site.mailbox.mails == {}


async def test_a_report_on_a_strangers_mail_changes_nothing(site: MailboxSite) -> None:
    """Without a token of ours nobody can say which mail came back; it is no alert either."""
    mail = await site.alert_mail()
    token = MessageIds(site.journal.mac_key).envelope_token(mail.envelope)
    await receive(site, report(site, mail, "ops@example.org").replace(token.encode(), b"QQ-314159-foreign"))
    found = await site.journal.find(mail.envelope.alert_id)
    assert found is not None
    assert found.envelopes[0].state is EnvelopeState.SENT
    assert await site.waiting() == []
