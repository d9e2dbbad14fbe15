"""From a request body to alerts: taken apart by what the Content-Type says, and where it says nothing by what the
body shows; then read by the format that knows its shape, and by none if none does. Nothing is lost on the way."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from app.domain.alert import Alert
from app.domain.charset import codec_of, decode, parse_content_type
from app.httpkit.problems import broken_json, broken_multipart
from app.intake import wellformed
from app.intake.attachments import OCTETS, Upload
from app.intake.draft import NO_SUBJECT
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.formats import form, raw
from app.intake.formats.native import MAX_ALERTS
from app.intake.incoming import IncomingBody, Reading, Rejected
from app.intake.json_body import BrokenJson, read_json
from app.intake.multipart import take_apart
from app.intake.parts import BrokenMultipart
from app.intake.registry import recognise
from app.intake.sizes import SizeLimits, check_attachments, check_size, check_structure
from app.intake.urlencoded import read_pairs

# `curl -d` calls everything a form, and many a program says nothing at all.
UNSAID = frozenset({"", "application/x-www-form-urlencoded"})
JSON_ENDINGS = ("/json", "+json")  # RFC 6839 section 3.1
TEXT_ENDINGS = ("/xml", "+xml", "/yaml", "+yaml", "/x-ndjson", "/javascript")
MULTIPART = "multipart/form-data"
STRICT = "native"
# Fields in which tools put their JSON into a form: Uptime Kuma, and what speaks to Slack.
JSON_FIELDS = ("data", "payload")
MOST_OPENINGS = 1 + 2 * MAX_ALERTS  # brackets of well-formed native JSON: an array, its alerts, and their labels
NOT_JSON = "the body claims to be JSON and is not; it is mailed as it came"
NOT_MULTIPART = "the body claims to be multipart/form-data and is not; it is mailed as it came"
UNKNOWN = "no format knows this body; it is mailed as it came"

_WHITE_SPACE_AND_MARKS = b" \t\r\n\xef\xbb\xbf"


def may_hold_attachments(fields: Mapping[bytes, bytes]) -> bool:
    """Return whether a body with these header fields may be larger than the fields of alerts alone may be."""
    media_type, _ = parse_content_type(fields.get(b"content-type", b"").decode("latin-1"))
    return _is_json(media_type) or not (media_type in UNSAID or media_type.startswith("text/"))


def read_alerts(incoming: IncomingBody, limits: SizeLimits, *, named: Format | None = None) -> Reading:
    """Return the alerts of a request body; a format that is `named` reads it whatever it looks like.

    Raises Rejected, with the problem that the sender is told: a native alert with wrong fields, too much, or nothing.
    """
    is_strict = named is not None and named.name == STRICT
    if (named is None or is_strict) and (reading := _read_wellformed(incoming, limits)) is not None:
        return reading
    payload = _take_apart(incoming, limits, is_strict=is_strict)
    reading = _with_all_warnings(_read(payload, named), payload)
    check_size(payload, reading.alerts, limits)
    check_attachments(reading.alerts, limits)
    return reading


def _read_wellformed(incoming: IncomingBody, limits: SizeLimits) -> Reading | None:
    """The short way: nearly every alert that a program sends is native JSON without a flaw."""
    body, fields = incoming.body, incoming.fields
    if not _may_be_native(fields.get(b"content-type", b"")) or len(body) > limits.body or b"ce-specversion" in fields:
        return None
    # What cannot be native is not even tried: pydantic's core takes a second for a megabyte of deep brackets.
    if b'"subject"' not in body or body.count(b"{") + body.count(b"[") > MOST_OPENINGS:
        return None
    return wellformed.read(body)


@lru_cache(maxsize=64)  # every client sends the same one, again and again
def _may_be_native(content_type: bytes) -> bool:
    media_type, charset = parse_content_type(content_type.decode("latin-1"))
    return (media_type in UNSAID or _is_json(media_type)) and codec_of(charset) == "utf_8"


def _is_json(media_type: str) -> bool:
    return media_type.endswith(JSON_ENDINGS)


def _read(payload: Payload, named: Format | None) -> Reading:
    if named is not None and named.name == STRICT and payload.is_form:
        named = form.FORMAT
    known = named or recognise(payload)
    if known is None:
        reading = raw.read(payload)
        return _with_warning(reading, UNKNOWN) if payload.document is not None or payload.files else reading
    try:
        reading = known.read(payload)
    except NotUnderstood as error:
        return _with_warning(raw.read(payload), f"{error}; the body is mailed as it came")
    if any(map(_says_nothing, reading.alerts)):
        return _with_warning(raw.read(payload), UNKNOWN)
    return reading


def _says_nothing(alert: Alert) -> bool:
    """Tell whether a format found nothing to say: then the body must have more to say than it understood."""
    return alert.subject == NO_SUBJECT and not (alert.content or alert.extra or alert.attachments)


def _with_all_warnings(reading: Reading, payload: Payload) -> Reading:
    """Put in front what was repaired on the way to the format, and behind it what its drafts had to cut."""
    notes = [note for alert in reading.alerts for note in alert.notes]
    if not payload.warnings and not notes:
        return reading
    return replace(reading, warnings=tuple(dict.fromkeys((*payload.warnings, *reading.warnings, *notes))))


def _with_warning(reading: Reading, warning: str) -> Reading:
    return replace(reading, warnings=(*reading.warnings, warning))


def _take_apart(incoming: IncomingBody, limits: SizeLimits, *, is_strict: bool) -> Payload:
    media_type, charset = parse_content_type(incoming.content_type)
    pairs, warnings = read_pairs(incoming.query)
    payload = Payload(
        body=incoming.body,
        media_type=media_type,
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in incoming.fields.items()},
        query=dict(pairs),
        warnings=warnings,
        at=incoming.at,
    )
    if media_type == MULTIPART:
        return _multipart(payload, incoming.content_type, limits, is_strict=is_strict)
    if media_type in UNSAID:
        return _unsaid(payload, charset, limits)
    if _is_json(media_type):
        return _claimed_json(payload, charset, limits, is_strict=is_strict)
    if media_type.startswith("text/") or media_type.endswith(TEXT_ENDINGS):
        return _text(payload, charset)
    return replace(payload, files=(Upload("", media_type or OCTETS, payload.body),))


def _multipart(payload: Payload, content_type: str, limits: SizeLimits, *, is_strict: bool) -> Payload:
    try:
        parts = take_apart(payload.body, content_type)
    except BrokenMultipart as error:
        if is_strict:
            raise Rejected(broken_multipart(str(error))) from None
        return _with(_text(payload, ""), NOT_MULTIPART)
    payload = replace(payload, files=parts.files, warnings=payload.warnings + parts.warnings)
    return _fields(payload, parts.pairs, limits)


def _unsaid(payload: Payload, charset: str, limits: SizeLimits) -> Payload:
    """JSON if it parses as an object or array, else a form if it has the fields of one, else verbatim text."""
    if payload.body.lstrip(_WHITE_SPACE_AND_MARKS)[:1] in {b"{", b"["}:
        try:
            return _json(payload, payload.body, charset, limits)
        except BrokenJson:
            pass  # a log line may well begin with a bracket
    if form.is_form(payload.body) or form.has_only_fields(payload.body):
        pairs, warnings = form.pairs_of(payload.body, charset)
        fields = _fields(replace(payload, warnings=payload.warnings + warnings), pairs, limits)
        if recognise(fields) is not None:
            return fields
    return _text(payload, charset)


def _claimed_json(payload: Payload, charset: str, limits: SizeLimits, *, is_strict: bool) -> Payload:
    try:
        return _json(payload, payload.body, charset, limits)
    except BrokenJson as error:
        if is_strict:
            raise Rejected(broken_json(str(error))) from None
        return _with(_text(payload, charset), NOT_JSON)


def _json(payload: Payload, text: bytes, charset: str, limits: SizeLimits) -> Payload:
    if len(text) > limits.body:
        check_structure(text, limits)
    document, warnings = read_json(text, charset)
    return replace(payload, document=document, warnings=payload.warnings + warnings)


def _fields(payload: Payload, pairs: Any, limits: SizeLimits) -> Payload:
    fields = dict(pairs)
    if len(fields) == 1 and (name := next(iter(fields))) in JSON_FIELDS:
        try:
            return _json(payload, fields[name].encode(errors="replace"), "", limits)
        except BrokenJson:
            pass  # a field that happens to be called so
    return replace(payload, document=fields, pairs=tuple(pairs))


def _text(payload: Payload, charset: str) -> Payload:
    decoded = decode(payload.body, charset)
    return replace(payload, text=decoded.text, warnings=payload.warnings + decoded.warnings)


def _with(payload: Payload, warning: str) -> Payload:
    return replace(payload, warnings=(*payload.warnings, warning))
