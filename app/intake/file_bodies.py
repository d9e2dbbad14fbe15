"""A body that is a file: one that the sender gives a name, or that is no text."""

from app.domain.charset import BYTE_ORDER_MARKS
from app.intake.attachments import Upload
from app.intake.disposition import read_disposition
from app.intake.format import Payload
from app.intake.lenient import first_text
from app.intake.title import read_title

# `curl -d` calls everything a form, and many a program says nothing at all.
UNSAID = frozenset({"", "application/x-www-form-urlencoded"})
NAME_FIELDS = ("x-filename", "filename", "file", "f")  # of ntfy, in the header or the query
NAME_IN_QUERY = "filename"  # the only one that makes a file of the body of anybody
SEARCHED = 8000  # bytes, in which git, too, looks for what no text holds

_CONTROLS = bytes({*range(0x20), 0x7F} - set(b"\t\n\v\f\r\b\x1b"))  # but for those that terminals write
_MARKS = tuple(mark for mark, _ in BYTE_ORDER_MARKS)


def is_named(payload: Payload) -> bool:
    """Tell whether a header field gives the body the name of a file, which makes it one whatever it holds."""
    return any(name in payload.headers for name in NAME_FIELDS)


def is_binary(body: bytes) -> bool:
    """Tell whether a body without a type is no text: it holds NUL, or more than a third of it is not UTF-8.

    Text in an old charset of the West has fewer such octets, and UTF-16 begins with a mark.
    """
    if body.startswith(_MARKS):
        return False
    head = body[:SEARCHED]
    text = head.translate(None, _CONTROLS).decode(errors="ignore")
    return b"\0" in head or len(text.encode()) * 3 < len(head) * 2


def file_of(payload: Payload) -> Upload:
    """Return the whole body as a file, by the name that the header or the query gives it."""
    content_type = "" if payload.media_type in UNSAID else payload.media_type
    return Upload(_name(payload), content_type, payload.body)


def _name(payload: Payload) -> str:
    disposition = payload.headers.get("content-disposition", "").encode("latin-1", "replace")
    query = {name.lower(): value for name, value in payload.query.items()}
    in_header = read_title(first_text(payload.headers, *NAME_FIELDS))
    return in_header or read_disposition(disposition).filename or first_text(query, *NAME_FIELDS)
