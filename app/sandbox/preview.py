"""A mail made readable for the sandbox's page. Reads any bytes; what cannot be read is shown as it stands."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from typing import TypeAlias, TypeVar

from app.domain.text import one_line, plain, without_surrogates

T = TypeVar("T")
Part: TypeAlias = "Message[str, str]"

# What the standard library's parser raises on hostile mails: unknown charsets (LookupError), NUL in the name
# of one (ValueError), bad Base64 in a header (MessageError), multiparts in multiparts (RecursionError), and
# on parameters of the wrong kind TypeError and AttributeError in some releases.
PARSER_FAULTS = (LookupError, ValueError, MessageError, RecursionError, TypeError, AttributeError)

URGENT_PRIORITIES = {"1", "2"}  # X-Priority, of no standard: 1 highest, 5 lowest
_HEADER_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Heading:
    """What a list shows of a mail: its headers, decoded, each in one line."""

    subject: str = ""
    sender: str = ""
    to: str = ""
    message_id: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is neither the text nor the HTML of the mail."""

    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Preview:
    """A whole mail. `text` and `html` are None when it has no such part."""

    text: str | None
    html: str | None
    headers: tuple[tuple[str, str], ...]
    attachments: tuple[Attachment, ...]
    source: str


def read_heading(data: bytes) -> Heading:
    """Return the heading of the mail `data`. Never raises."""
    headers = read_headers(data)
    first = {name.lower(): value for name, value in reversed(headers)}
    return Heading(
        subject=first.get("subject", ""),
        sender=first.get("from", ""),
        to=first.get("to", ""),
        message_id=first.get("message-id", ""),
        urgent=first.get("x-priority", "").strip()[:1] in URGENT_PRIORITIES,
    )


def read_headers(data: bytes) -> tuple[tuple[str, str], ...]:
    """Return names and decoded values of the headers, in order. Never raises."""
    end = _HEADER_END.search(data)
    head = data[: end.start()] if end else data
    message = _attempt(lambda: BytesParser().parsebytes(head, headersonly=True), Message())
    return tuple((without_surrogates(name), _decoded(value)) for name, value in message.raw_items())


def preview(data: bytes) -> Preview:
    """Return the mail `data` in readable parts. Never raises."""
    message = _attempt(lambda: message_from_bytes(data), Message())
    leaves: list[Part] = _attempt(lambda: list(_leaves(message)), [])
    text = next((part for part in leaves if _is_body(part, "text/plain")), None)
    html = next((part for part in leaves if _is_body(part, "text/html")), None)
    return Preview(
        text=None if text is None else _text_of(text),
        html=None if html is None else _text_of(html),
        headers=read_headers(data),
        attachments=tuple(_attachment(part) for part in leaves if part is not text and part is not html),
        source=plain(data.decode(errors="replace")),
    )


def _leaves(message: Part) -> Iterator[Part]:
    return (part for part in message.walk() if not part.is_multipart())


def _is_body(part: Part, media_type: str) -> bool:
    return part.get_content_type() == media_type and _attempt(part.get_content_disposition, None) != "attachment"


def _text_of(part: Part) -> str:
    payload = _payload(part)
    charset = _attempt(part.get_content_charset, None) or "utf-8"
    decoded = _attempt(lambda: payload.decode(charset, "replace"), None)
    return plain(payload.decode(errors="replace") if decoded is None else decoded)


def _attachment(part: Part) -> Attachment:
    name = _attempt(part.get_filename, None)
    return Attachment(name=_decoded(name) if name else "", media_type=part.get_content_type(), size=len(_payload(part)))


def _payload(part: Part) -> bytes:
    payload = _attempt(lambda: part.get_payload(decode=True), None)
    return payload if isinstance(payload, bytes) else b""


def _decoded(value: str) -> str:
    """Return a header's raw value with its encoded words decoded (RFC 2047), in one line."""
    # The parser hands bytes that are not ASCII over as surrogates; they are UTF-8 most of the time (RFC 6532).
    text = str(value).encode(errors="surrogateescape").decode(errors="replace")
    text = re.sub(r"\r?\n(?=[ \t])", "", text)  # RFC 5322 section 2.2.3: unfolding
    if "=?" not in text or not text.isascii():
        return one_line(text)
    return one_line(_attempt(lambda: "".join(_words(text)), text))


def _words(text: str) -> Iterator[str]:
    for chunk, charset in decode_header(text):
        yield chunk if isinstance(chunk, str) else chunk.decode(charset or "ascii", "replace")


def _attempt(read: Callable[[], T], otherwise: T) -> T:
    """Return what `read` returns, or `otherwise` when the mail is too broken for it."""
    try:
        return read()
    except PARSER_FAULTS:
        return otherwise
