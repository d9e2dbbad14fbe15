"""From a request body to alerts: read by the format that knows its shape, and by none if none does. Nothing is lost
on the way."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from app.domain.alert import Alert
from app.domain.charset import codec_of, parse_content_type
from app.intake import wellformed
from app.intake.attachments import warnings_of
from app.intake.draft import NO_SUBJECT, with_files
from app.intake.file_bodies import UNSAID
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.formats import form, native, raw
from app.intake.incoming import IncomingBody, Reading
from app.intake.payloads import NOT_JSON, NOT_MULTIPART, is_json, payload_of
from app.intake.registry import recognise
from app.intake.sizes import SizeLimits, check_attachments, check_size

MOST_OPENINGS = 1 + 2 * native.MAX_ALERTS  # brackets of well-formed native JSON: an array, its alerts, their labels
BROKEN = frozenset({NOT_JSON, NOT_MULTIPART})
UNKNOWN = "no format knows this body; it is mailed as it came"


def may_hold_attachments(fields: Mapping[bytes, bytes]) -> bool:
    """Return whether a body with these header fields may be larger than the fields of alerts alone may be."""
    media_type, _ = parse_content_type(fields.get(b"content-type", b"").decode("latin-1"))
    return is_json(media_type) or not (media_type in UNSAID or media_type.startswith("text/"))


def read_alerts(incoming: IncomingBody, limits: SizeLimits, *, named: Format | None = None) -> Reading:
    """Return the alerts of a request body; a format that is `named` reads it whatever it looks like.

    Raises Rejected, with the problem that the sender is told: a native alert with wrong fields, too much, or nothing.
    """
    is_strict = named is native.FORMAT
    if (named is None or is_strict) and (reading := _read_wellformed(incoming, limits)) is not None:
        return reading
    payload = payload_of(incoming, limits, is_strict=is_strict)
    reading = _with_all_warnings(_with_files(_read(payload, named), payload), payload)
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
    return (media_type in UNSAID or is_json(media_type)) and codec_of(charset) == "utf_8"


def _read(payload: Payload, named: Format | None) -> Reading:
    if named is native.FORMAT and payload.is_form:
        named = form.FORMAT
    known = named or recognise(payload)
    if named is not None and not BROKEN.isdisjoint(payload.warnings) and not named.recognises(payload):
        return raw.read(payload)  # whatever the URL names: it cannot read what is not what it claims to be
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


def _with_files(reading: Reading, payload: Payload) -> Reading:
    """Attach what came beside the fields to the first alert: few formats have a place for files."""
    files = [file for file in payload.files if file.data or file.name]
    if not files or not reading.alerts:
        return reading
    first, *others = reading.alerts
    return replace(reading, alerts=(with_files(first, files), *others))


def _with_all_warnings(reading: Reading, payload: Payload) -> Reading:
    """Put in front what was repaired on the way to the format, and behind it what its drafts had to cut."""
    notes = [note for alert in reading.alerts for note in alert.notes]
    if not (payload.warnings or payload.files or notes):
        return reading
    warnings = (*payload.warnings, *reading.warnings, *warnings_of(payload.files), *notes)
    return replace(reading, warnings=tuple(dict.fromkeys(warnings)))


def _with_warning(reading: Reading, warning: str) -> Reading:
    return replace(reading, warnings=(*reading.warnings, warning))
