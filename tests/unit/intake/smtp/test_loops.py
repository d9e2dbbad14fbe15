"""Mails that must not become alerts."""

from pathlib import Path

import pytest

from app.domain.alert import Alert
from app.intake.smtp.loops import ANSWER_TO_OURS, AUTOMATIC_ANSWER, DELIVERY_REPORT, OUR_MAIL, TOO_MANY_HOPS, loop_in
from app.mail.compose import Composer
from app.mail.message_id import MessageIds
from app.mail.reading.reader import read_message
from tests.support.mails import queued_mail

KEY = b"the key of these tests"
IDS = MessageIds(KEY)
OUR_OWN = Composer(mac_key=KEY).render(queued_mail(Alert(subject="disk full")))
REPORT = (
    b"Content-Type: Multipart/Report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nfailed\r\n--b--\r\n"
)


def reason(data: bytes, mail_from: str = "a@example.org") -> str:
    return loop_in(read_message(data), mail_from=mail_from, is_ours=IDS.is_ours)


def without(name: bytes, data: bytes) -> bytes:
    return b"".join(line for line in data.splitlines(keepends=True) if not line.lower().startswith(name))


def test_our_own_mail_is_refused() -> None:
    """An alert that comes back must not become the next one."""
    assert reason(OUR_OWN) == OUR_MAIL


@pytest.mark.parametrize("header", [b"message-id", b"x-mailalert-id"])
def test_one_of_the_two_marks_does(header: bytes) -> None:
    """Relays replace the one, list servers drop the other."""
    assert reason(without(header, OUR_OWN)) == OUR_MAIL


def test_the_mail_of_another_daemon_is_refused() -> None:
    """Two daemons that feed each other never end."""
    assert reason(Composer(mac_key=b"another key").render(queued_mail(Alert(subject="a")))) == OUR_MAIL


def test_without_both_marks_it_is_a_mail_like_others() -> None:
    """Nothing else of ours is looked at: cron says Auto-Submitted too."""
    assert reason(without(b"message-id", without(b"x-mailalert-id", OUR_OWN))) == ""


@pytest.mark.parametrize("kind", ["auto-replied", "Auto-Replied (vacation)", "auto-replied; owner-email=a@b.example"])
def test_an_automatic_answer_is_refused(kind: str) -> None:
    """RFC 3834 section 5, with what may follow the word."""
    assert reason(f"Auto-Submitted: {kind}\r\n\r\nI am away\r\n".encode()) == AUTOMATIC_ANSWER


@pytest.mark.parametrize("kind", ["auto-generated", "no", "auto-notified"])
def test_what_programs_send_by_themselves_is_taken(kind: str) -> None:
    """Alerts are nothing else; Debian's cron says auto-generated."""
    assert reason(f"Auto-Submitted: {kind}\r\n\r\nbackup failed\r\n".encode()) == ""


def test_a_report_from_the_null_sender_is_refused() -> None:
    """It tells of a mail of ours that did not arrive: another mail would not either."""
    assert reason(REPORT, mail_from="") == DELIVERY_REPORT


def test_the_null_sender_alone_is_no_report() -> None:
    """Small devices send from it."""
    assert reason(b"From: printer@x\r\nSubject: paper jam\r\n\r\n", mail_from="") == ""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("delivery-status", DELIVERY_REPORT), ("Disposition-Notification", DELIVERY_REPORT), ("tlsrpt", "")],
)
def test_a_report_on_a_mail_is_refused_whoever_sends_it(kind: str, expected: str) -> None:
    """Some servers send theirs from an address; reports on other matters are news."""
    assert reason(REPORT.replace(b"delivery-status", kind.encode())) == expected


@pytest.mark.parametrize("author", ["MAILER-DAEMON@x.example", "Mail Delivery <postmaster@x.example>", "mailer-daemon"])
def test_a_bounce_in_plain_text_is_refused(author: str) -> None:
    """As qmail sends it: the null sender, and the author who answers for the server's mails."""
    bounce = f"From: {author}\r\nSubject: failure notice\r\n\r\nHi. This is the mail server at x.\r\n".encode()
    assert reason(bounce, mail_from="") == DELIVERY_REPORT
    assert reason(bounce) == ""


@pytest.mark.parametrize("header", ["X-Autoreply: yes", "X-Autorespond: away", "Auto-Submitted: (x) auto-replied"])
def test_older_marks_of_an_automatic_answer_do(header: str) -> None:
    """Autoresponders that know no RFC 3834, and comments before the word."""
    assert reason(f"{header}\r\nSubject: away\r\n\r\n".encode()) == AUTOMATIC_ANSWER


@pytest.mark.parametrize("header", ["In-Reply-To", "References"])
def test_an_answer_to_our_mail_is_refused(header: str) -> None:
    """Exchange answers with auto-generated: what it answers tells it from an alert."""
    ours = read_message(OUR_OWN).message_id
    answer = "{}: <1@x> {}\r\nAuto-Submitted: auto-generated\r\nSubject: Automatic reply\r\n\r\n"
    assert reason(answer.format(header, ours).encode()) == ANSWER_TO_OURS
    assert reason(answer.format(header, "<2@x>").encode()) == ""


@pytest.mark.parametrize(("count", "expected"), [(100, ""), (101, TOO_MANY_HOPS)])
def test_a_mail_that_went_through_too_many_servers_is_refused(count: int, expected: str) -> None:
    """RFC 5321 section 6.3: not before a hundred."""
    assert reason(b"Received: from a by b\r\n" * count + b"\r\ntext\r\n") == expected


def test_an_out_of_office_note_is_refused() -> None:
    """One as a person's mail program sends it."""
    sample = Path(__file__).parents[3] / "mail-samples" / "auto-reply-out-of-office.eml"
    assert reason(sample.read_bytes(), mail_from="kim@example.com") == AUTOMATIC_ANSWER
