"""Answers of programs: they never acknowledge an alert, and never become one."""

import pytest

from app.domain.mail_kind import MailKind
from app.mail.reading.reader import read_message
from app.mail.sorting.automatic import automatic_answer, is_receipt, is_report, return_path
from app.mail.sorting.vacation_words import VACATION_SUBJECTS
from tests.support.sorting import ENVELOPE, IDS, OURS, TOKEN, answer, sort

SURE = [
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-replied; owner-email=dana@example.com",
    "X-Autoreply: yes",
    "X-Autorespond: away",
    "X-AutoResponse: 1",
    "X-Auto-Reply: yes",
    "X-Mail-Autoreply: dana",
    "Precedence: auto_reply",
    "Subject: Automatic reply: disk full\nX-Auto-Response-Suppress: All",
    "Subject: Automatic reply: disk full\nAuto-Submitted: auto-generated",
    "Subject: 自动回复: disk full\nReturn-Path: <>",
    "Subject: Abwesenheitsnotiz: disk full\nX-MS-Exchange-Inbox-Rules-Loop: dana@example.com",
    "Subject: Réponse automatique : disk full\nPrecedence: bulk",
]
OF_A_PROGRAM = [
    "Auto-Submitted: auto-generated",
    "Auto-Submitted: auto-notified",
    "Precedence: bulk",
    "Precedence: Junk",
    "Precedence: list",
    "List-Id: <people.example.com>",
    "List-Unsubscribe: <mailto:leave@example.com>",
    "X-MS-Exchange-Inbox-Rules-Loop: dana@example.com",
    "Return-Path: <>",
]
OF_A_PERSON = [
    "",
    "Auto-Submitted: no",
    "X-Autoreply: no",
    "X-Auto-Response-Suppress: All",
    "X-Auto-Response-Suppress: DR, OOF, AutoReply",
    "Precedence: first-class",
    "Return-Path: <dana@example.com>",
    "Importance: high",
]


def an_answer(headers: str) -> str:
    """Return an answer that says "ack", with these headers, a subject among them if there is to be another one."""
    mail = answer("ack\n", headers=f"{headers}\n" if headers else "")
    return mail.replace("Subject: Re: [web1] disk full\n", "", 1) if "Subject:" in headers else mail


@pytest.mark.parametrize("headers", [*SURE, *OF_A_PROGRAM])
def test_a_program_does_not_acknowledge(headers: str) -> None:
    """Whatever stands in its first line."""
    found = sort(an_answer(headers))
    assert (found.kind, found.command, found.envelope_id) == (MailKind.AUTOMATIC, None, OURS)


@pytest.mark.parametrize("headers", OF_A_PERSON)
def test_a_person_does(headers: str) -> None:
    """Outlook asks for no answers in what people send; that is no sign of a program."""
    assert sort(an_answer(headers)).kind is MailKind.ACKNOWLEDGEMENT


@pytest.mark.parametrize("headers", SURE)
def test_an_autoresponder_is_told_whatever_it_answers(headers: str) -> None:
    """It often does not say what."""
    assert sort(f"From: dana@example.com\n{headers}\n\nI am away\n").kind is MailKind.AUTOMATIC


@pytest.mark.parametrize("headers", OF_A_PROGRAM)
def test_a_program_that_answers_nothing_brings_news(headers: str) -> None:
    """Alerts of other systems are such mails."""
    assert sort(f"From: cron@example.com\nSubject: backup failed\n{headers}\n\nno space\n").kind is MailKind.OTHER


@pytest.mark.parametrize("words", VACATION_SUBJECTS)
def test_a_subject_tells_in_many_languages(words: str) -> None:
    """With nothing else to go by, as QQ and NetEase send it."""
    found = sort(an_answer(f"Subject: {words.capitalize()}: [web1] disk full"))
    assert found.kind is MailKind.AUTOMATIC


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Automatic reply: disk full", "Automatic replying is broken", "Vacationers are stuck", "Out",
        "AW: Abwesenheitsnotiz", "[web1] out of office", "", "自动",
    ],
)  # fmt: skip
def test_other_subjects_do_not(subject: str) -> None:
    """People answer automatic answers, and alerts may be about them."""
    assert sort(an_answer(f"Subject: {subject}")).kind is MailKind.ACKNOWLEDGEMENT


def test_such_a_subject_alone_is_no_automatic_answer() -> None:
    """What monitoring finds in a mail system may begin so too."""
    assert automatic_answer(read_message(b"Subject: Out of office: 300 mails sent in a minute\n\n")) == ""


@pytest.mark.parametrize("kind", ["message/disposition-notification", "message/global-disposition-notification"])
def test_a_read_receipt_is_automatic(kind: str) -> None:
    """RFC 8098: a mail program sends it when a person opens the mail."""
    parts = f"--b\n\nack\n--b\nContent-Type: {kind}\n\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n"
    head = an_answer("").partition("Content-Type")[0]
    mail = f"{head}Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n{parts}"
    assert is_receipt(read_message(mail.encode()))
    assert sort(mail).kind is MailKind.AUTOMATIC


def test_what_comes_to_the_address_of_a_bounce_is_of_a_program() -> None:
    """People do not see the sender of the envelope; autoresponders write to it."""
    address = IDS.sub_address(ENVELOPE, "alerts@example.org", position=0)
    assert sort(answer("ack\n").replace("To: alerts@example.org", f"To: {address}")).kind is MailKind.AUTOMATIC


def test_an_answer_to_a_probe_is_no_news() -> None:
    """An autoresponder in front of the mailbox must not make alerts."""
    probe = f"<probe.{IDS.probe_token(7)}@example.org>"
    assert sort(answer("hello\n", to=probe, headers="Auto-Submitted: auto-generated\n")).kind is MailKind.AUTOMATIC
    assert sort(answer("ack\n", to=probe)).kind is MailKind.ANSWER


@pytest.mark.parametrize(
    ("header", "path"),
    [("", None), ("Return-Path: <>", ""), ("Return-Path: <a@b.example>", "a@b.example"), ("Return-Path: a@b", "a@b")],
)
def test_the_sender_of_the_envelope_is_what_the_last_server_wrote(header: str, path: str | None) -> None:
    """RFC 5321 section 4.4."""
    assert return_path(read_message(f"{header}\n\n".encode()).headers) == path


def test_a_report_on_other_matters_is_none_on_a_mail() -> None:
    """RFC 8460: reports on TLS have the type of reports, and a sender."""
    mail = read_message(
        b"Content-Type: multipart/report; report-type=tlsrpt; boundary=b\n\n--b\n\nall is well\n--b--\n"
    )
    assert not is_report(mail, "tls@example.com")
    assert is_report(mail, "")


def test_the_token_is_in_none_of_these() -> None:
    """So that the tests above say what they mean: each of these mails is an answer by one header alone."""
    assert an_answer("").count(TOKEN) == 1
