"""What the `mailalert mailbox` commands print of mails: tables for people, lines with tabs for programs, JSON."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from app.cli.listing import show_list
from app.cli.mail_view import date_text, person_document
from app.cli.mailbox_mails import MailHead
from app.cli.printable import json_line, printable_line, write_lines
from app.cli.table import GAP, fitted, table
from app.domain.size import size_text

HEADINGS = ("N", "DATE", "FROM", "SIZE", "SUBJECT")
MAX_SENDER = 30  # columns; the subject needs the room


def show_heads(heads: Sequence[MailHead], *, as_json: bool) -> None:
    """Print the mails in that order."""
    show_list(
        [head_document(head) for head in heads],
        as_json=as_json,
        people=lambda width: for_people(heads, width=width),
        programs=lambda: map(for_programs, heads),
    )


def for_people(heads: Sequence[MailHead], *, width: int) -> Iterator[str]:
    """Yield the lines of a table that is `width` columns wide, with local times."""
    return table(HEADINGS, [_cells(head) for head in heads], width=width)


def for_programs(head: MailHead) -> str:
    """Return the uid, the date, the sender's address, the subject and the size in bytes, with tabs between them."""
    message, entry = head.head, head.mail.entry
    sender = message.sender.address if message.sender else ""
    fields = (entry.uid, date_text(message.date) or "", sender, message.subject, str(entry.size_bytes))
    return "\t".join(map(printable_line, fields))


def teller(*, as_json: bool) -> Callable[[MailHead], None]:
    """Return what prints a line for a mail, at once."""
    if as_json:
        return lambda head: write_lines([json_line(head_document(head))])
    if sys.stdout.isatty():
        return lambda head: write_lines([fitted(GAP.join(_cells(head)), shutil.get_terminal_size().columns)])
    return lambda head: write_lines([for_programs(head)])


def head_document(head: MailHead) -> dict[str, Any]:
    """Return what JSON says of a mail of which only the header was read."""
    message = head.head
    return {
        "uid": head.mail.entry.uid,
        "number": head.mail.place,
        "date": date_text(message.date),
        "from": person_document(message.sender) if message.sender else None,
        "subject": message.subject,
        "message_id": message.message_id,
        "size_bytes": head.mail.entry.size_bytes,
    }


def _cells(head: MailHead) -> tuple[str, ...]:
    message = head.head
    date = f"{message.date.astimezone():%Y-%m-%d %H:%M}" if message.date else ""
    sender = message.sender.name or message.sender.address if message.sender else ""
    cells = (head.mail.name, date, fitted(printable_line(sender), MAX_SENDER), size_text(head.mail.entry.size_bytes))
    return (*cells, printable_line(message.subject))
