"""A mail as `show` prints it: for people, and as JSON."""

import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.cli.ending import REFUSED, fail
from app.cli.printable import json_text, printable, printable_line, source_text, write_lines
from app.domain.address import Mailbox
from app.domain.size import size_text
from app.mail.reading.message import Message
from app.mail.reading.part import Part
from app.mail.reading.reader import read_message

NOTHING: Mapping[str, Any] = {}


class MailView(StrEnum):
    """What is shown of a mail."""

    TEXT = "text"
    HEADERS = "headers"
    SOURCE = "source"
    HTML = "html"


def show_mail(data: bytes, view: MailView, *, as_json: bool, known: Mapping[str, Any] = NOTHING) -> None:
    """Print the mail that `data` holds; `known` is what else JSON says of it. Ends with 65 if there is no HTML."""
    if view is MailView.SOURCE and not as_json:
        _show_source(data)
        return
    message = read_message(data)
    if as_json:
        write_lines([json_text({**known, **document(message), **_more(message, data, view)})])
    elif view is MailView.HTML and not message.html:
        fail("the mail has no HTML; show it without --html", REFUSED)
    elif view is MailView.HTML:
        write_lines([printable(message.html)])
    else:
        write_lines(header_lines(message) if view is MailView.HEADERS else text_lines(message))


def document(message: Message) -> dict[str, Any]:
    """Return what JSON says of a mail; an address is an object with `address` and `name`."""
    return {
        "message_id": message.message_id,
        "date": date_text(message.date),
        "from": person_document(message.sender) if message.sender else None,
        "to": list(map(person_document, message.to)),
        "cc": list(map(person_document, message.cc)),
        "reply_to": list(map(person_document, message.reply_to)),
        "subject": message.subject,
        "in_reply_to": list(message.in_reply_to),
        "references": list(message.references),
        "text": message.text,
        "files": list(map(file_document, message.files)),
        "defects": list(message.defects),
    }


def file_document(file: Part) -> dict[str, Any]:
    """Return what JSON says of a file that came with a mail."""
    return {
        "name": file.file_name,
        "type": file.content_type,
        "size_bytes": len(file.data),
        "disposition": file.disposition,
        "content_id": file.content_id,
    }


def header_lines(message: Message) -> Iterator[str]:
    """Yield every header field in the order of the mail, decoded, each in one line."""
    for name, value in _fields(message):
        yield printable_line(f"{name}: {value}")


def text_lines(message: Message) -> Iterator[str]:
    """Yield who wrote it to whom, when and about what, the text, the files, and what is wrong with the mail."""
    rows = {
        "From": person_text(message.sender),
        "Reply-To": ", ".join(map(person_text, message.reply_to)),
        "To": ", ".join(map(person_text, message.to)),
        "Cc": ", ".join(map(person_text, message.cc)),
        "Date": f"{message.date.astimezone():%Y-%m-%d %H:%M:%S %z}" if message.date else "",
        "Subject": message.subject,
    }
    yield from (printable_line(f"{name + ':':<10}{text}") for name, text in rows.items() if text)
    yield f"\n{printable(message.text).rstrip()}"
    if message.files:
        yield "\nFiles:"
        for file in message.files:
            yield printable_line(f"- {file.file_name} ({file.content_type}, {size_text(len(file.data))})")
    if message.defects:
        yield "\nWhat is wrong with the mail:"
        yield from (printable_line(f"- {defect}") for defect in message.defects)


def person_text(mailbox: Mailbox | None) -> str:
    """Return the mailbox as people read it, "" for none."""
    if mailbox is None:
        return ""
    return f"{mailbox.name} <{mailbox.address}>" if mailbox.name else mailbox.address


def date_text(moment: datetime | None) -> str | None:
    """Return a time as programs read it: RFC 3339, in UTC."""
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _show_source(data: bytes) -> None:
    if sys.stdout.isatty():
        write_lines([source_text(data)])
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _more(message: Message, data: bytes, view: MailView) -> dict[str, Any]:
    match view:
        case MailView.HEADERS:
            return {"headers": [{"name": name, "value": value} for name, value in _fields(message)]}
        case MailView.HTML:
            return {"html": message.html}
        case MailView.SOURCE:
            return {"source": b64encode(data).decode()}  # octets are no text
        case MailView.TEXT:
            return {}


def _fields(message: Message) -> Iterator[tuple[str, str]]:
    headers = message.headers
    return ((field.name, replace(headers, fields=(field,)).text(field.name)) for field in headers.fields)


def person_document(mailbox: Mailbox) -> dict[str, str]:
    return {"address": mailbox.address, "name": mailbox.name}
