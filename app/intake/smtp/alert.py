"""From a mail to an alert: what its header says of who and how bad, its text, and its files."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.domain.alert import Alert, Severity
from app.domain.text import one_line, shorten
from app.intake.attachments import Upload
from app.intake.draft import draft
from app.intake.smtp.recipients import Addressing
from app.mail.reading.headers import Headers
from app.mail.reading.message import Message
from app.mail.reading.part import Part

MAX_RECIPIENTS = 500  # characters; a hundred addresses tell nobody more than the first ten
MAX_DEFECTS = 5  # that the alert tells; whoever mends a program begins with one
MAX_NOTES = 5  # about files, one for each; the others are counted
MAX_NAME = 80  # characters of a file's name in a note
# What mail programs call it: X-Priority is of no standard, Importance of RFC 2156, Priority of both.
_URGENT = ("1", "2", "high", "urgent")
_IDLE = ("4", "5", "low", "non-urgent")
_PRIORITIES = ("X-Priority", "Importance", "Priority", "X-MSMail-Priority")


def alert_of(
    message: Message, addressing: Addressing, *, recipients: Sequence[str], sender: str, attachments_limit: int
) -> Alert:
    """Return the alert. `sender` is who sent the mail if it does not say so itself.

    Files are attached up to `attachments_limit` bytes together; those that do not fit are named in a note.
    """
    files, notes = _fitting(message.files, attachments_limit)
    alert = draft(
        subject=message.subject,
        content=message.text if message.text.strip() else "",
        severity=addressing.severity or _severity_of(message.headers),
        source=message.sender.address if message.sender else sender,
        extra={"to": shorten(", ".join(recipients), MAX_RECIPIENTS)},
        files=files,
        notes=[*(f"The mail was not well-formed: {defect}." for defect in message.defects[:MAX_DEFECTS]), *notes],
    )
    return replace(alert, receivers=addressing.receivers, also_routed=addressing.also_routed)


def _severity_of(headers: Headers) -> Severity:
    """A mail that somebody marked is worth more or less than one that nobody did."""
    for name in _PRIORITIES:
        word = headers.raw(name).lower().partition(" ")[0]  # X-Priority: 1 (Highest)
        if word in _URGENT:
            return Severity.ERROR
        if word in _IDLE:
            return Severity.INFO
    return Severity.WARNING


def _fitting(parts: Iterable[Part], limit: int) -> tuple[list[Upload], list[str]]:
    """Return the files that fit, and a note for each that does not."""
    files: list[Upload] = []
    notes: list[str] = []
    room = limit
    for part in parts:
        if len(part.data) > room:
            name = shorten(one_line(part.file_name), MAX_NAME)
            notes.append(f"{name} is not attached: it has {len(part.data)} bytes, and there was room for {room}.")
        else:
            room -= len(part.data)
            files.append(Upload(part.file_name, part.content_type, part.data))
    return files, notes[:MAX_NOTES] + _counted(notes[MAX_NOTES:])


def _counted(notes: list[str]) -> list[str]:
    return [f"{len(notes)} more files are not attached."] if notes else []
