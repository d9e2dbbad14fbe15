"""Reports of real servers: who did not get which mail of ours, and why. Nothing but a MAC proves the mail."""

import pytest

from app.domain.bounce import BouncedRecipient, BounceKind, BounceReport
from app.domain.mail_kind import MailKind
from app.mail.sorting.bounces import ARRIVED, NOT_OURS, NOT_UNDERSTOOD
from tests.support.sorting import FORGED, IDS, OTHER_TOKEN, OURS, SAMPLES, TOKEN, bounce, sort

FAILED, DELAYED = BounceKind.FAILED, BounceKind.DELAYED
NOBODY = "nobody@example.com"
TOLD = {
    "coremail": BouncedRecipient(
        kind=FAILED,
        address="nobody@example.cn",
        status="5.0.0",
        reply="550 User not found: nobody@example.cn",
    ),
    "exchange-old": BouncedRecipient(
        kind=FAILED,
        address=NOBODY,
        reply="on Tue, 1 Dec 2026 01:33:59 -0000 The recipient name is not recognized The MTS-ID of the original "
        "message is: c=us;a= ;p=example;l=EXCHANGE0612010133ABCDEFGH MSEXCH:IMS:EXAMPLE:SITE:EXCHANGE 0 (000C05A6) "
        "Unknown Recipient",
    ),
    "exim": BouncedRecipient(
        kind=FAILED,
        address=NOBODY,
        status="5.1.1",
        reply=f"550 5.1.1 <{NOBODY}>: Recipient address rejected: User unknown",
        remote="mx.example.com",
    ),
    "exim-plain": BouncedRecipient(
        kind=FAILED,
        address=NOBODY,
        status="5.2.2",
        reply=f"SMTP error from remote mail server after RCPT TO:<{NOBODY}>: host mx.example.com [203.0.113.9]: "
        "552 5.2.2 The mailbox is over its quota",
    ),
    "gmail": BouncedRecipient(
        kind=FAILED,
        address=NOBODY,
        status="5.1.1",
        reply="550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 "
        "double-checking the recipient's email address for typos or 550 5.1.1 unnecessary spaces.",
        remote="mx.example.com",
    ),
    "gmail-plain": BouncedRecipient(
        kind=FAILED,
        address=NOBODY,
        status="5.7.1",
        reply="Technical details of permanent failure: Google tried to deliver your message, but it was rejected by "
        "the recipient domain. The error that the other server returned was: 554 5.7.1 Message refused by policy.",
    ),
    "microsoft-365": BouncedRecipient(
        kind=FAILED,
        address=NOBODY,
        status="5.1.10",
        reply=f"550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {NOBODY} not found by SMTP address lookup",
    ),
    "postfix-delayed": BouncedRecipient(
        kind=DELAYED,
        address="late@users.example.com",
        original="late@example.com",
        status="4.4.1",
        reply="the next server does not answer",
    ),
    "postfix-failed": BouncedRecipient(
        kind=FAILED,
        address="gone@users.example.com",
        original="gone@example.com",
        status="5.1.1",
        reply='unknown user: "gone@users.example.com"',
    ),
    "qmail": BouncedRecipient(
        kind=FAILED,
        address=NOBODY,
        status="5.1.1",
        reply="203.0.113.9 does not like recipient. Remote host said: 550 5.1.1 No such user here "
        "Giving up on 203.0.113.9.",
    ),
    "sendmail": BouncedRecipient(
        kind=FAILED,
        address=NOBODY,
        original="ops+night@example.com",
        status="5.1.1",
        reply=f"550 5.1.1 <{NOBODY}>... User unknown",
        remote="mx.example.com",
    ),
    "smtputf8": BouncedRecipient(
        kind=FAILED,
        address="jürgen@example.com",
        original="jürgen@example.com",
        status="5.1.1",
        reply="550 5.1.1 unknown user",
    ),
}
PROBE_NUMBER = 7
PROBE = IDS.probe_token(PROBE_NUMBER)


@pytest.mark.parametrize(("name", "told"), TOLD.items(), ids=TOLD)
def test_a_report_tells_who_did_not_get_which_mail(name: str, told: BouncedRecipient) -> None:
    """Each server says it in its own way, by the standard or not."""
    found = sort(bounce(name))
    assert found.kind is MailKind.BOUNCE
    assert found.report == BounceReport(envelope_id=OURS, recipients=(told,))
    assert found.envelope_id == OURS


def test_every_sample_is_in_the_table() -> None:
    """None lies there unread."""
    assert {path.stem for path in (SAMPLES / "bounces").glob("*.eml")} == {*TOLD, "delivered"}


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize(
    "token", [FORGED, "019ab0c2.a1", "", f"{TOKEN[:-1]}x"], ids=["forged", "other", "none", "wrong"]
)
def test_a_mail_that_is_not_proved_to_be_ours_changes_nothing(name: str, token: str) -> None:
    """Whoever knows our ids but not our key cannot make a mail look as if it had failed."""
    found = sort(bounce(name, token=token))
    assert found.kind is not MailKind.BOUNCE
    assert found.report is None
    assert found.envelope_id is None


@pytest.mark.parametrize("name", sorted(set(TOLD) - {"exchange-old"}))
def test_a_report_on_a_strange_mail_is_no_news(name: str) -> None:
    """It becomes no alert either: a server sent it about a mail."""
    found = sort(bounce(name, token=FORGED))
    assert (found.kind, found.why) == (MailKind.REPORT, NOT_OURS)


def test_that_a_mail_has_arrived_is_no_bounce() -> None:
    """Some servers report success unasked."""
    found = sort(bounce("delivered"))
    assert (found.kind, found.why, found.envelope_id) == (MailKind.AUTOMATIC, ARRIVED, OURS)


def test_that_a_strange_mail_has_arrived_stays_for_a_person() -> None:
    """Whatever is not proved to be about a mail of ours does."""
    found = sort(bounce("delivered", token=FORGED))
    assert (found.kind, found.why) == (MailKind.REPORT, NOT_OURS)


REPORT = f"""Return-Path: <>
From: MAILER-DAEMON@example.net
To: alerts@example.org
Subject: Undelivered Mail
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

it failed
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; example.net
Original-Envelope-Id: {TOKEN}

Final-Recipient: rfc822; ops@example.com
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: <{TOKEN}@example.org>
X-MailAlert-Id: {TOKEN}

--b--
"""
ENVID, MESSAGE_ID, OWN_ID = f"Original-Envelope-Id: {TOKEN}", f"Message-ID: <{TOKEN}", f"X-MailAlert-Id: {TOKEN}"


@pytest.mark.parametrize("left", [ENVID, MESSAGE_ID, OWN_ID], ids=["ENVID", "Message-ID", "X-MailAlert-Id"])
def test_one_of_the_three_names_is_enough(left: str) -> None:
    """Relays drop the ENVID, put a Message-ID of their own in the place of ours, or cut headers off."""
    report = REPORT
    for name in {ENVID, MESSAGE_ID, OWN_ID} - {left}:
        report = report.replace(name, name.replace(TOKEN, FORGED))
    assert sort(report).envelope_id == OURS


@pytest.mark.parametrize("header", ["To", "Delivered-To", "X-Original-To", "Envelope-To"])
def test_the_address_that_it_came_to_tells_the_recipient(header: str) -> None:
    """VERP: whatever the report leaves out."""
    report = REPORT.replace(TOKEN, FORGED).replace("To: alerts@example.org\n", "")
    found = sort(f"{header}: alerts+{TOKEN}.2@example.org\n{report}").report
    assert found is not None
    assert (found.envelope_id, found.position) == (OURS, 2)


def test_an_address_of_another_mail_tells_no_recipient() -> None:
    """What comes back counts more, and the position is one of that other mail."""
    found = sort(REPORT.replace("To: alerts@", f"To: alerts+{OTHER_TOKEN}.2@")).report
    assert found is not None
    assert (found.envelope_id, found.position) == (OURS, None)


@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/report", "Multipart/Related; type=x"])
def test_the_type_of_the_whole_is_not_asked_for(kind: str) -> None:
    """Gateways write another one around a report that they pass on."""
    assert sort(REPORT.replace("multipart/report; report-type=delivery-status", kind)).kind is MailKind.BOUNCE


def test_a_report_within_another_multipart_is_found() -> None:
    """Lists and scanners wrap mails to add a line of their own."""
    header, _, rest = REPORT.partition("Content-Type: multipart/report")
    wrapped = f"{header}Content-Type: multipart/mixed; boundary=w\n\n--w\nContent-Type: multipart/report{rest}\n--w--\n"
    assert sort(wrapped).kind is MailKind.BOUNCE


PROBE_REPORT = (
    REPORT.replace("X-MailAlert-Id", "X-MailAlert-Probe").replace(f"<{TOKEN}", f"<probe.{PROBE}").replace(TOKEN, PROBE)
)
PROBE_NAMES = {"ENVID": "Envelope-Id: ", "Message-ID": "Message-ID: <probe.", "X-MailAlert-Probe": "Probe: "}


def test_a_probe_that_comes_back_is_told_by_its_number() -> None:
    """It is no mail of the queue: the desk of the probes hears of it, in the words of the server."""
    found = sort(PROBE_REPORT)
    assert (found.kind, found.report) == (MailKind.BOUNCE, None)
    assert (found.probe, found.words) == (PROBE_NUMBER, "5.1.1")
    assert found.why == "it reports that a probe of ours has failed"


def test_a_probe_that_is_late_has_not_come_back() -> None:
    """It may arrive yet, so there are no words that end the waiting."""
    late = sort(PROBE_REPORT.replace("Action: failed", "Action: delayed"))
    assert (late.kind, late.probe, late.words) == (MailKind.BOUNCE, PROBE_NUMBER, "")


@pytest.mark.parametrize("left", PROBE_NAMES)
def test_one_of_the_names_of_a_probe_is_enough(left: str) -> None:
    """As of any other mail of ours."""
    report = PROBE_REPORT
    for name in PROBE_NAMES.keys() - {left}:
        report = report.replace(f"{PROBE_NAMES[name]}{PROBE}", f"{PROBE_NAMES[name]}{FORGED}")
    assert report.count(PROBE) == 1
    assert sort(report).probe == PROBE_NUMBER
    assert sort(report.replace(PROBE, FORGED)).kind is MailKind.REPORT


def test_a_person_s_mail_about_a_bounce_is_none() -> None:
    """A bounce is deleted once it is read; what somebody wrote must stay."""
    quoted = bounce("qmail").decode().partition("\n\n")[2].replace("\n", "\n> ")
    for subject in ("Re: failure notice", "what is this?", "Fwd: Undelivered Mail Returned to Sender"):
        mail = (
            f"Return-Path: <dana@example.com>\nFrom: dana@example.com\nSubject: {subject}\n\nLook at this:\n> {quoted}"
        )
        assert sort(mail).kind is MailKind.OTHER


def test_a_complaint_is_no_bounce() -> None:
    """RFC 5965: the mail arrived, and somebody called it spam."""
    kind = "report-type=feedback-report"
    report = REPORT.replace("report-type=delivery-status", kind).replace(
        "message/delivery-status", "message/feedback-report"
    )
    found = sort(report)
    assert (found.kind, found.why) == (MailKind.REPORT, NOT_UNDERSTOOD)
