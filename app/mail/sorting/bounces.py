"""Reports on the delivery of mails, and which mail of ours each is about: only a MAC proves that."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.bounce import BouncedRecipient, BounceKind, BounceReport
from app.domain.mail_kind import MailKind
from app.mail.reading.message import Message
from app.mail.sorting.automatic import automatic_answer, is_report, return_path
from app.mail.sorting.delivery_status import read_delivery_status
from app.mail.sorting.marks import Marks, first_proof
from app.mail.sorting.plain_bounces import has_subject_of_a_report, nameless_recipient, plain_recipients
from app.mail.sorting.returned import names_in_text, returned_headers
from app.mail.sorting.sorted_mail import SortedMail

ARRIVED = "it reports that a mail has arrived"
NOT_UNDERSTOOD = "it is a report that is not understood"
NOT_OURS = "it reports on a mail that is not proved to be ours"
_OUTCOMES = {BounceKind.FAILED: "has failed", BounceKind.DELAYED: "is delayed"}
_DAEMON = "mailer-daemon"  # who reports since sendmail did; nobody's address
_FAILED_RECIPIENTS = "X-Failed-Recipients"  # of no standard; Exim and Gmail write it, into reports alone


@dataclass(frozen=True, slots=True)
class _Origin:
    """The mail that a report is about, and the position of the recipient where the address tells it (VERP).

    `probe` is the number of the probe that it is about instead.
    """

    envelope_id: int | None = None
    position: int | None = None
    probe: int | None = None


def sort_bounce(message: Message, data: bytes, marks: Marks) -> SortedMail | None:
    """Return what the mail is if it reports on the delivery of another one, else None; `data` are its octets."""
    status = read_delivery_status(message)
    if status is None or not (status.recipients or status.has_good_news):
        return _sort_plain(message, data, marks)
    origin = _origin(message, marks, status.envelope_id)
    if origin and not status.recipients:
        return SortedMail(kind=MailKind.AUTOMATIC, why=ARRIVED, envelope_id=origin.envelope_id)
    return _judge(origin, status.recipients)


def _sort_plain(message: Message, data: bytes, marks: Marks) -> SortedMail | None:
    """Sort a report in no standard form, None if the mail is hardly one.

    A bounce is deleted once it is recorded, so a mail that merely tells of one must not be taken for it: it must come
    from a program, and tell who did not get a mail of ours.
    """
    from_server = _is_from_server(message)
    if not from_server and not _may_be_a_report(message, marks):
        return None
    origin = _origin(message, marks)
    recipients: tuple[BouncedRecipient, ...] = ()
    if origin and _may_be_on_delivery(message):
        recipients = plain_recipients(message, data)
        if not recipients and (from_server or has_subject_of_a_report(message)):
            recipients = nameless_recipient(message)
    return _judge(origin, recipients) if from_server or recipients else None


def _is_from_server(message: Message) -> bool:
    """Whether a mail server sent it on its own behalf: about what, only its text may tell."""
    if message.headers.count(_FAILED_RECIPIENTS):
        return True
    mail_from = return_path(message.headers)
    if mail_from is None:
        author = message.sender.address.lower() if message.sender else ""
        mail_from = "" if author.partition("@")[0] == _DAEMON else author or "unknown"
    return is_report(message, mail_from)


def _may_be_a_report(message: Message, marks: Marks) -> bool:
    """Whether it came from a program that gives no other reason for its mail."""
    if automatic_answer(message):
        return False
    came_to = marks.came_to(message.headers)
    return (
        return_path(message.headers) == ""  # RFC 5321 section 4.5.5
        or has_subject_of_a_report(message)
        or (came_to is not None and came_to[1] is not None)
    )


def _may_be_on_delivery(message: Message) -> bool:
    """Whether it is not a report on other matters, as on complaints (RFC 5965) or on TLS (RFC 8460)."""
    return message.parts[0].parameters.get("report-type", "").lower() in {"", "delivery-status"}


def _origin(message: Message, marks: Marks, envelope_name: str = "") -> _Origin | None:
    """Return what the report is about, None if nothing proves it; `envelope_name` is the ENVID (RFC 3464)."""
    came_to = marks.came_to(message.headers)
    envelope_id = first_proof(_proofs(message, marks, envelope_name, came_to))
    if envelope_id is None:
        probe = first_proof(_probes(message, marks, envelope_name))
        return None if probe is None else _Origin(probe=probe)
    is_same = came_to is not None and came_to[0] == envelope_id
    return _Origin(envelope_id, came_to[1] if came_to and is_same else None)


def _proofs(
    message: Message, marks: Marks, envelope_name: str, came_to: tuple[int, int | None] | None
) -> Iterator[int | None]:
    yield marks.envelope_named(envelope_name)
    yield from map(marks.own, returned_headers(message))
    yield came_to[0] if came_to else None
    yield marks.envelope_named(*names_in_text(message))
    yield marks.answered(message)  # Exchange and Gmail write their reports as answers


def _probes(message: Message, marks: Marks, envelope_name: str) -> Iterator[int | None]:
    yield marks.probe_named(envelope_name)
    yield from map(marks.probe, returned_headers(message))
    yield marks.probe_named(*names_in_text(message))
    yield marks.probe_answered(message)


def _judge(origin: _Origin | None, recipients: tuple[BouncedRecipient, ...]) -> SortedMail:
    if origin is None:
        return SortedMail(kind=MailKind.REPORT, why=NOT_OURS)
    if not recipients:
        return SortedMail(kind=MailKind.REPORT, why=NOT_UNDERSTOOD, envelope_id=origin.envelope_id)
    if origin.envelope_id is None:
        why = f"it reports that a probe of ours {_outcome(recipients)}"
        return SortedMail(kind=MailKind.BOUNCE, why=why, probe=origin.probe, words=_words_on_failure(recipients))
    return SortedMail(
        kind=MailKind.BOUNCE,
        why=f"it reports that a mail of ours {_outcome(recipients)}",
        envelope_id=origin.envelope_id,
        report=BounceReport(envelope_id=origin.envelope_id, recipients=recipients, position=origin.position),
    )


def _words_on_failure(recipients: tuple[BouncedRecipient, ...]) -> str:
    """Return what was said of a recipient who does not get the mail, "" if it is only late."""
    failed = [recipient for recipient in recipients if recipient.kind is BounceKind.FAILED]
    told = next(filter(None, (recipient.reply or recipient.status for recipient in failed)), "no reason is told")
    return told if failed else ""


def _outcome(recipients: tuple[BouncedRecipient, ...]) -> str:
    kinds = {recipient.kind for recipient in recipients}
    words = [_OUTCOMES[kind] for kind in BounceKind if kind in kinds]
    return " and ".join(words)
