"""Form fields by the native names: `curl -d subject='Disk full' -d severity=error -d labels.host=web1`.

A label is written `labels.NAME=VALUE`; `links` and `to` may come several times. The files of a multipart form become
attachments.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from app.domain.charset import BYTE_ORDER_MARKS
from app.httpkit.problems import FieldError, invalid_alert
from app.intake.attachments import MAX_ATTACHMENTS
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.formats import native
from app.intake.incoming import Reading, Rejected
from app.intake.urlencoded import MAX_PAIRS, read_pairs

LABEL_PREFIX = "labels."
NATIVE_FIELDS = frozenset({"subject", "content"})  # one of which makes a form an alert
LISTS = frozenset({"links", "to"})

_UTF8_MARK = BYTE_ORDER_MARKS[0][0]
_NAME = re.compile(rb"[\w.\-\[\]\x80-\xff]+")  # of a field, decoded: what people and programs call one


def is_form(body: bytes) -> bool:
    """Return whether `body` has `subject` or `content` as a field, and nothing but fields before it.

    A log line that holds `GET /item?id=7&content=x` is no form: "GET /item?id" names no field.
    """
    for piece in body.removeprefix(_UTF8_MARK).split(b"&", MAX_PAIRS):
        name, equals, _ = piece.partition(b"=")
        name = unquote_to_bytes(name)
        if equals and name in {b"subject", b"content"}:
            return True
        if name and not _NAME.fullmatch(name):
            return False
    return False


def has_only_fields(body: bytes) -> bool:
    """Return whether all of `body` is made of fields, so that it may be the form of some tool."""
    pieces = body.removeprefix(_UTF8_MARK).split(b"&", MAX_PAIRS)
    return all(_is_field(piece) for piece in pieces) and len(pieces) <= MAX_PAIRS


def _is_field(piece: bytes) -> bool:
    name, equals, _ = piece.partition(b"=")
    return bool(equals and _NAME.fullmatch(unquote_to_bytes(name)))


def pairs_of(body: bytes, charset: str = "") -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Return the names and values of a form in order, and the warnings of decoding them."""
    return read_pairs(body.removeprefix(_UTF8_MARK), charset)


def _alert_of(pairs: Iterable[tuple[str, str]]) -> Reading:
    """Return what the names and values say, under the rules of native JSON. An empty field counts as not given."""
    fields: dict[str, object] = {}
    labels: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    repeated: dict[str, None] = {}
    for name, value in pairs:
        if name in LISTS:
            lists.setdefault(name, []).extend([value] if value else [])
        elif name.startswith(LABEL_PREFIX):
            labels[name.removeprefix(LABEL_PREFIX)] = value
        elif value:
            if name in fields:
                repeated[f"{name} came more than once; the last one counts"] = None
            fields[name] = value if name == "content" else value.strip()
    given = {"labels": labels, **lists}
    reading = native.read(fields | {name: value for name, value in given.items() if value})
    return replace(reading, warnings=(*repeated, *reading.warnings))


def _recognises(payload: Payload) -> bool:
    return payload.is_form and not payload.object.keys().isdisjoint(NATIVE_FIELDS)


def _read(payload: Payload) -> Reading:
    if not _recognises(payload):
        raise NotUnderstood("this is no form with a subject or a content")
    if len(payload.files) > MAX_ATTACHMENTS:
        error = FieldError("/attachments", f"must be at most {MAX_ATTACHMENTS} files, and are {len(payload.files)}")
        raise Rejected(invalid_alert("The alert was not taken.", [error]))
    return _alert_of(payload.pairs)


FORMAT = Format(name="form", tool="", recognises=_recognises, read=_read)
