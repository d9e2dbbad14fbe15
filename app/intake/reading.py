"""From a request body to alerts: what the Content-Type says, and where it says nothing, what the body shows."""

from dataclasses import replace

from app.httpkit.problems import broken_json, unsupported_media_type
from app.intake.charset import codec_of, parse_content_type
from app.intake.formats import form, native, text, wellformed
from app.intake.incoming import IncomingBody, Reading, Rejected
from app.intake.json_body import BrokenJson, read_json

# `curl -d` calls everything a form, and many a program says nothing at all.
UNSAID = frozenset({"", "application/x-www-form-urlencoded"})
JSON_ENDINGS = ("/json", "+json")  # RFC 6839 section 3.1
ACCEPTED = "Send application/json, text/plain or application/x-www-form-urlencoded."

_WHITE_SPACE_AND_MARKS = b" \t\r\n\xef\xbb\xbf"


def read_alerts(incoming: IncomingBody) -> Reading:
    """Return the alerts of a request body. Raises Rejected, with the problem that the sender is told."""
    media_type, charset = parse_content_type(incoming.content_type)
    if media_type in UNSAID:
        return _read_unsaid(incoming, charset)
    if media_type.endswith(JSON_ENDINGS):
        try:
            return _read_json(incoming, charset)
        except BrokenJson as error:
            raise Rejected(broken_json(str(error))) from None
    if media_type.startswith("text/"):
        return text.read(incoming, charset)
    raise Rejected(unsupported_media_type(f"No alert is read from this type of body. {ACCEPTED}"))


def _read_unsaid(incoming: IncomingBody, charset: str) -> Reading:
    """JSON if it parses as an object or array, else a form if it has the fields of one, else verbatim text."""
    if incoming.body.lstrip(_WHITE_SPACE_AND_MARKS)[:1] in {b"{", b"["}:
        try:
            return _read_json(incoming, charset)
        except BrokenJson:
            pass  # a log line may well begin with a bracket
    if form.is_form(incoming.body):
        return form.read(incoming.body, charset)
    return text.read(incoming, charset)


def _read_json(incoming: IncomingBody, charset: str) -> Reading:
    if codec_of(charset) == "utf_8":
        reading = wellformed.read(incoming.body)
        if reading is not None:
            return reading
    document, warnings = read_json(incoming.body, charset)
    reading = native.read(document)
    return replace(reading, warnings=warnings + reading.warnings) if warnings else reading
