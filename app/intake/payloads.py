"""From a request body to its payload: taken apart by what the Content-Type says, and where it says nothing by what
the body shows."""

import re
from collections.abc import Sequence
from dataclasses import replace

from app.domain.charset import decode, parse_content_type
from app.httpkit.problems import broken_json, broken_multipart
from app.intake.file_bodies import NAME_IN_QUERY, UNSAID, file_of, is_binary, is_named
from app.intake.format import Payload
from app.intake.formats import form
from app.intake.incoming import IncomingBody, Rejected
from app.intake.json_body import BrokenJson, read_json
from app.intake.multipart import take_apart
from app.intake.parts import BrokenMultipart
from app.intake.registry import recognise
from app.intake.sizes import SizeLimits, check_structure
from app.intake.urlencoded import read_pairs

JSON = "application/json"
JSON_ENDINGS = ("/json", "+json")  # RFC 6839 section 3.1
TEXT_ENDINGS = ("/xml", "+xml", "/yaml", "+yaml", "/x-ndjson", "/javascript")
MULTIPART = "multipart/form-data"
# Fields in which tools put their JSON into a form: Uptime Kuma, and what speaks to Slack.
JSON_FIELDS = ("data", "payload")
NOT_JSON = "the body claims to be JSON and is not; it is mailed as it came"
NOT_MULTIPART = "the body claims to be multipart/form-data and is not; it is mailed as it came"

_WHITE_SPACE_AND_MARKS = b" \t\r\n\xef\xbb\xbf"
# Scripts put values with quotes between quotes. A log line may begin with a bracket too, but hardly so.
_MEANT_AS_JSON = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"')


def is_json(media_type: str) -> bool:
    """Tell whether a body of this type says that it is JSON."""
    return media_type.endswith(JSON_ENDINGS)


def payload_of(incoming: IncomingBody, limits: SizeLimits, *, is_strict: bool) -> Payload:
    """Return the payload. Raises Rejected if it is too large to be read, or if `is_strict` and it is broken."""
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
    if payload.body and is_named(payload) and not is_strict:
        return _file(payload)
    if media_type in UNSAID:
        return _unsaid(payload, charset, limits, is_strict=is_strict)
    if is_json(media_type):
        return _claimed_json(payload, charset, limits, is_strict=is_strict)
    if media_type.startswith("text/") or media_type.endswith(TEXT_ENDINGS):
        return _text(payload, charset)
    return _file(payload)


def _multipart(payload: Payload, content_type: str, limits: SizeLimits, *, is_strict: bool) -> Payload:
    try:
        parts = take_apart(payload.body, content_type)
    except BrokenMultipart as error:
        if is_strict:
            raise Rejected(broken_multipart(str(error))) from None
        return _with(_text(payload, ""), NOT_MULTIPART)
    payload = replace(payload, files=parts.files, warnings=payload.warnings + parts.warnings)
    return _fields(payload, parts.pairs, limits)


def _unsaid(payload: Payload, charset: str, limits: SizeLimits, *, is_strict: bool) -> Payload:
    """JSON if it parses as an object or array, else a form if it has the fields of one, else verbatim text.

    What can be none of these is a file.
    """
    if payload.body.lstrip(_WHITE_SPACE_AND_MARKS)[:1] in {b"{", b"["}:
        try:
            return _json(payload, payload.body, charset, limits)
        except BrokenJson as error:
            if _MEANT_AS_JSON.match(payload.body):
                return _broken_json(replace(payload, media_type=JSON), charset, error, is_strict=is_strict)
    if form.is_form(payload.body) or form.has_only_fields(payload.body):
        pairs, warnings = form.pairs_of(payload.body, charset)
        fields = _fields(replace(payload, warnings=payload.warnings + warnings), pairs, limits)
        if recognise(fields) is not None:
            return fields
    is_file = bool(payload.query.get(NAME_IN_QUERY)) or (not charset and is_binary(payload.body))
    # Where files are not taken, or none as large, it is better shown somehow than refused.
    return _file(payload) if is_file and 0 < len(payload.body) <= limits.attachments else _text(payload, charset)


def _claimed_json(payload: Payload, charset: str, limits: SizeLimits, *, is_strict: bool) -> Payload:
    try:
        return _json(payload, payload.body, charset, limits)
    except BrokenJson as error:
        return _broken_json(payload, charset, error, is_strict=is_strict)


def _broken_json(payload: Payload, charset: str, error: BrokenJson, *, is_strict: bool) -> Payload:
    if is_strict:
        raise Rejected(broken_json(str(error))) from None
    return _with(_text(payload, charset), NOT_JSON)


def _json(payload: Payload, text: bytes, charset: str, limits: SizeLimits) -> Payload:
    if len(text) > limits.body:
        check_structure(text, limits)
    document, warnings = read_json(text, charset)
    return replace(payload, document=document, warnings=payload.warnings + warnings)


def _fields(payload: Payload, pairs: Sequence[tuple[str, str]], limits: SizeLimits) -> Payload:
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


def _file(payload: Payload) -> Payload:
    return replace(payload, files=(file_of(payload),))


def _with(payload: Payload, warning: str) -> Payload:
    return replace(payload, warnings=(*payload.warnings, warning))
