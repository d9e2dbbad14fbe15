"""From a request body to alerts: what the Content-Type says, and where it says nothing, what the body shows."""

from dataclasses import replace

from app.httpkit.problems import broken_json, broken_multipart, unsupported_media_type
from app.intake.charset import codec_of, parse_content_type
from app.intake.formats import form, multipart, native, text, wellformed
from app.intake.incoming import IncomingBody, Reading, Rejected
from app.intake.json_body import BrokenJson, read_json
from app.intake.parts import BrokenMultipart
from app.intake.sizes import SizeLimits, check_attachments, check_document, check_parts, check_structure

# `curl -d` calls everything a form, and many a program says nothing at all.
UNSAID = frozenset({"", "application/x-www-form-urlencoded"})
JSON_ENDINGS = ("/json", "+json")  # RFC 6839 section 3.1
MULTIPART = "multipart/form-data"
ACCEPTED = f"Send application/json, text/plain, application/x-www-form-urlencoded or {MULTIPART}."

_WHITE_SPACE_AND_MARKS = b" \t\r\n\xef\xbb\xbf"


def may_hold_attachments(content_type: str) -> bool:
    """Return whether a body of this type may be larger than its fields alone may be."""
    media_type, _ = parse_content_type(content_type)
    return media_type == MULTIPART or media_type.endswith(JSON_ENDINGS)


def read_alerts(incoming: IncomingBody, limits: SizeLimits) -> Reading:
    """Return the alerts of a request body. Raises Rejected, with the problem that the sender is told."""
    media_type, charset = parse_content_type(incoming.content_type)
    if media_type in UNSAID:
        return _read_unsaid(incoming, charset, limits)
    if media_type.endswith(JSON_ENDINGS):
        try:
            return _read_json(incoming, charset, limits)
        except BrokenJson as error:
            raise Rejected(broken_json(str(error))) from None
    if media_type == MULTIPART:
        return _read_multipart(incoming, limits)
    if media_type.startswith("text/"):
        return text.read(incoming, charset)
    raise Rejected(unsupported_media_type(f"No alert is read from this type of body. {ACCEPTED}"))


def _read_unsaid(incoming: IncomingBody, charset: str, limits: SizeLimits) -> Reading:
    """JSON if it parses as an object or array, else a form if it has the fields of one, else verbatim text."""
    if incoming.body.lstrip(_WHITE_SPACE_AND_MARKS)[:1] in {b"{", b"["}:
        try:
            return _read_json(incoming, charset, limits)
        except BrokenJson:
            pass  # a log line may well begin with a bracket
    if form.is_form(incoming.body):
        return form.read(incoming.body, charset)
    return text.read(incoming, charset)


def _read_json(incoming: IncomingBody, charset: str, limits: SizeLimits) -> Reading:
    is_large = len(incoming.body) > limits.body
    if is_large:
        check_structure(incoming.body, limits)
    elif codec_of(charset) == "utf_8":
        reading = wellformed.read(incoming.body)
        if reading is not None:
            return reading
    document, warnings = read_json(incoming.body, charset)
    if is_large:
        check_document(document, limits)
    reading = native.read(document)
    check_attachments(reading.alerts, limits)
    return replace(reading, warnings=warnings + reading.warnings) if warnings else reading


def _read_multipart(incoming: IncomingBody, limits: SizeLimits) -> Reading:
    try:
        reading = multipart.read(incoming.body, incoming.content_type)
    except BrokenMultipart as error:
        raise Rejected(broken_multipart(str(error))) from None
    check_parts(incoming.body, reading.alerts, limits)
    check_attachments(reading.alerts, limits)
    return reading
