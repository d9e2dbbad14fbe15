"""Reports that follow no standard: who is named, what is said of them, and when nothing is made of it."""

import base64
import quopri
from collections.abc import Callable

import pytest

from app.domain.bounce import BouncedRecipient, BounceKind
from app.domain.mail_kind import MailKind
from app.mail.sorting.bounces import NOT_UNDERSTOOD
from tests.support.sorting import ENVELOPE, FORGED, IDS, OURS, TOKEN, bounce, sort

FAILED, DELAYED = BounceKind.FAILED, BounceKind.DELAYED
FROM_SERVER = "Return-Path: <>\nFrom: MAILER-DAEMON@example.net\nTo: alerts@example.org\n"
NAMED = f"\n\n> Message-ID: <{TOKEN}@example.org>\n"


def told(mail: str) -> list[BouncedRecipient]:
    """Return the recipients of the report that the mail is; nothing if it is none."""
    report = sort(mail).report
    return list(report.recipients) if report else []


@pytest.mark.parametrize("encode", [base64.encodebytes, quopri.encodestring], ids=["base64", "quoted-printable"])
def test_an_encoded_report_is_read(encode: Callable[[bytes], bytes]) -> None:
    """The library that knows the forms of servers reads octets as they are, so it is given them decoded."""
    header, _, text = bounce("qmail").partition(b"\n\n")
    encoding = "base64" if encode is base64.encodebytes else "quoted-printable"
    report = sort(header + f"\nContent-Transfer-Encoding: {encoding}\n\n".encode() + encode(text)).report
    assert report is not None
    assert report == sort(bounce("qmail")).report


def test_each_recipient_has_the_words_about_it() -> None:
    """qmail writes a paragraph for each."""
    report = bounce("qmail").decode().replace("--- Below", "<full@example.com>:\n552 5.2.2 it is full\n\n--- Below")
    assert [(found.address, found.status) for found in told(report)] == [
        ("full@example.com", "5.2.2"),
        ("nobody@example.com", "5.1.1"),
    ]


def test_a_warning_is_a_delay() -> None:
    """The library tells warnings of some servers from failures."""
    text = "This message has not yet been delivered to\n\n  <ops@example.com>\n\nNo action is required on your part."
    assert told(f"{FROM_SERVER}Subject: Warning: message delayed\n\n{text}{NAMED}") == [
        BouncedRecipient(
            kind=DELAYED,
            address="ops@example.com",
            reply="No action is required on your part.",
        )
    ]


@pytest.mark.parametrize(
    ("subject", "text", "kind"),
    [
        ("Undeliverable: disk full", "It went wrong: 550 5.2.2 mailbox full", FAILED),
        ("Unzustellbar: disk full", "Die Nachricht konnte nicht zugestellt werden.", FAILED),
        ("Non remis : disk full", "Votre message n'a pas pu être remis.", FAILED),
        ("系统退信", "抱歉,您的邮件被退回来了", FAILED),
        ("Mail System Error - Returned Mail", "", FAILED),
        ("Delivery Status Notification (Delay)", "It will be retried for 2 more days.", DELAYED),
        ("Warning: could not send message for past 4 hours", "It will keep trying until it is 5 days old.", DELAYED),
    ],
    ids=["english", "german", "french", "chinese", "subject alone", "delay", "sendmail's warning"],
)
def test_a_report_that_names_nobody_tells_what_happened(subject: str, text: str, kind: BounceKind) -> None:
    """It is about the only recipient of that mail, if there is only one."""
    (found,) = told(f"{FROM_SERVER}Subject: {subject}\n\n{text}{NAMED}")
    assert (found.kind, found.address) == (kind, "")


def test_a_report_that_says_nothing_is_left() -> None:
    """It names our mail, and neither a person nor a program can tell what became of it."""
    found = sort(f"{FROM_SERVER}Subject: hello\n\nHave a nice day.{NAMED}")
    assert (found.kind, found.why, found.envelope_id) == (MailKind.REPORT, NOT_UNDERSTOOD, OURS)


def test_a_report_in_any_form_tells_its_recipient_by_its_address() -> None:
    """VERP, where nothing but the address says which mail it is, and that it is a report."""
    sub_address = IDS.sub_address(ENVELOPE, "alerts@example.org", position=1)
    report = sort(
        f"From: admin@example.com\nTo: {sub_address}\nSubject: Undeliverable mail\n\nNo such user here.\n"
    ).report
    assert report is not None
    assert (report.envelope_id, report.position) == (OURS, 1)


@pytest.mark.parametrize("name", ["X-MailAlert-Probe: {}", "Message-ID: <probe.{}@example.org>"])
def test_a_probe_comes_back_in_any_form(name: str) -> None:
    """With what the server said, as a mail does."""
    text = "<ops@example.com>:\nunknown user\n\n--- Below this line is a copy of the message.\n\n"
    found = sort(
        f"{FROM_SERVER}Subject: failure notice\n\nHi. This is the qmail-send program.\n\n{text}"
        f"{name.format(IDS.probe_token(7))}\n"
    )
    assert (found.kind, found.probe, found.words) == (MailKind.BOUNCE, 7, "unknown user")


def test_what_comes_back_as_a_text_part_is_looked_through() -> None:
    """To a reader the parts behind the first one of a report are files."""
    mail = (
        f"{FROM_SERVER}Subject: Undeliverable\nContent-Type: multipart/report; boundary=b\n\n"
        f"--b\n\nHi. This is the mail server.\n\n<ops@example.com>:\nunknown user\n\n"
        f"--b\nContent-Type: text/plain\n\nX-MailAlert-Id: {TOKEN}\n--b--\n"
    )
    assert [found.address for found in told(mail)] == ["ops@example.com"]


def test_a_report_without_an_author_is_read() -> None:
    """The library trips over a mail without From."""
    mail = bounce("qmail").decode().replace("From: MAILER-DAEMON@mail.example.net\n", "")
    assert [found.address for found in told(mail)] == ["nobody@example.com"]


@pytest.mark.parametrize(
    "mark",
    ["Return-Path: <>\nAuto-Submitted: auto-replied", "Return-Path: <>\nX-Autoreply: yes", "Subject: Out of office"],
)
def test_an_autoresponder_is_no_bounce(mark: str) -> None:
    """It writes from the null sender too, and quotes the mail; bounces are deleted, and count against an address."""
    text = "Your message could not be delivered to me:\n\n<dana@example.com>:\nI am away."
    found = sort(f"{mark}\nFrom: dana@example.com\nIn-Reply-To: <{TOKEN}@example.org>\n\n{text}{NAMED}")
    assert found.kind is MailKind.AUTOMATIC
    assert found.report is None


@pytest.mark.parametrize("name", [TOKEN, FORGED], ids=["ours", "forged"])
def test_a_mail_of_a_person_is_no_report_whatever_it_quotes(name: str) -> None:
    """That a mail speaks of one of ours that failed does not make it a server's word."""
    text = bounce("qmail", token=name).decode().partition("\n\n")[2]
    found = sort(f"Return-Path: <dana@example.com>\nFrom: dana@example.com\nSubject: look\n\n{text}")
    assert found.kind is MailKind.OTHER
