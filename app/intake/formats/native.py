"""The system's own JSON: one alert as an object with a subject, or an array of them."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from app.domain.alert import NOTHING, Alert, Severity, Status
from app.domain.text import one_line, shorten
from app.httpkit.problems import FieldError, invalid_alert
from app.intake import notices
from app.intake.attachments import Upload, attach, warnings_of
from app.intake.extra import keep
from app.intake.format import Format, Payload
from app.intake.incoming import Reading, Rejected
from app.intake.schema import NativeAlert

MAX_ALERTS = 1_000  # in one array; it becomes one transaction of the journal
MAX_POINTER_PART = 100  # characters of a bad label's name that an answer repeats
NEEDED = "An alert is a JSON object with a `subject` of 1 to 500 characters, or an array of them."

CLEANED = ("subject", "content", "source", "key")  # the fields whose cleaning is told


def read(document: object) -> Reading:
    """Return the alerts of a parsed JSON document. Raises Rejected with every bad field.

    Nothing is taken of an array in which one alert is bad.
    """
    if isinstance(document, list):
        return _read_array(document)
    if not isinstance(document, dict):
        raise Rejected(invalid_alert(f"The body is JSON, but no alert. {NEEDED}"))
    try:
        native = NativeAlert.model_validate(document)
    except ValidationError as error:
        raise Rejected(invalid_alert(f"The alert was not taken. {NEEDED}", _field_errors(error))) from None
    return Reading((_alert(native),), _warnings((native,), (document,)))


def _read_array(documents: list[Any]) -> Reading:
    if not 1 <= len(documents) <= MAX_ALERTS:
        detail = f"An array holds 1 to {MAX_ALERTS} alerts; this one has {len(documents)}."
        raise Rejected(invalid_alert(detail))
    natives: list[NativeAlert] = []
    errors: list[FieldError] = []
    for index, document in enumerate(documents):
        if not isinstance(document, dict):
            errors.append(FieldError(f"/{index}", "must be an object"))
            continue
        try:
            natives.append(NativeAlert.model_validate(document))
        except ValidationError as error:
            errors += _field_errors(error, f"/{index}")
    if errors:
        raise Rejected(invalid_alert(f"No alert of the array was taken. {NEEDED}", errors))
    return Reading(tuple(map(_alert, natives)), _warnings(natives, documents), is_batch=True)


def _alert(native: NativeAlert) -> Alert:
    return Alert(
        subject=native.subject,
        content=native.content or "",
        severity=native.severity or Severity.WARNING,
        status=native.status or Status.FIRING,
        source=native.source or "",
        labels=native.labels or NOTHING,
        key=native.key or "",
        starts_at=native.starts_at,
        ends_at=native.ends_at,
        links=tuple(native.links or ()),
        extra=keep(native.model_extra) if native.model_extra else NOTHING,
        attachments=attach(_uploads(native)) if native.attachments else (),
        to=tuple(native.to or ()),
    )


def _uploads(native: NativeAlert) -> list[Upload]:
    return [Upload(file.name or "", file.content_type or "", file.content) for file in native.attachments or ()]


def _warnings(natives: Sequence[NativeAlert], documents: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return the warnings of all alerts together, each once: a batch mostly has one trouble many times."""
    warnings: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for native, document in zip(natives, documents, strict=True):
        if repairs := _repairs(native, document):
            warnings.update(dict.fromkeys(repairs))
        if native.attachments:
            warnings.update(dict.fromkeys(warnings_of(_uploads(native))))
        if native.model_extra:
            unknown.update(dict.fromkeys(map(one_line, native.model_extra)))
    if unknown:
        warnings[notices.unknown_fields(unknown)] = None
    return tuple(warnings)


def _repairs(native: NativeAlert, document: dict[str, Any]) -> list[str]:
    return [
        notices.repaired_field(name)
        for name in CLEANED
        if name in document and notices.was_repaired(document[name] or "", getattr(native, name) or "")
    ]


def _field_errors(error: ValidationError, base: str = "") -> list[FieldError]:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return [FieldError(base + _pointer(detail["loc"]), detail["msg"]) for detail in details]


def _pointer(location: tuple[int | str, ...]) -> str:
    """Return the JSON Pointer (RFC 6901 section 3). Pydantic marks the key of a dictionary by "[key]"."""
    parts = location[:-1] if location[-1:] == ("[key]",) else location
    return "".join("/" + _escaped(str(part)) for part in parts)


def _escaped(part: str) -> str:
    return shorten(one_line(part), MAX_POINTER_PART).replace("~", "~0").replace("/", "~1")


def _recognises(payload: Payload) -> bool:
    if payload.is_form:
        return False
    items = payload.array or [payload.document]
    return any(isinstance(item, dict) and "subject" in item for item in items)


def _read(payload: Payload) -> Reading:
    return read(payload.document)


FORMAT = Format(name="native", tool="", recognises=_recognises, read=_read)
