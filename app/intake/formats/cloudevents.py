"""CloudEvents 1.0 over HTTP: one event as JSON, a batch of them, or one in the header fields and the body.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
The data of an event may be anything; what is found in it by its usual names becomes the alert.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

from app.domain.alert import Alert, Status
from app.intake.attachments import Upload
from app.intake.base64_text import decode_base64
from app.intake.batches import read_each
from app.intake.clues import links_in, readable, severity_in, subject_in
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.formats.native import MAX_ALERTS
from app.intake.incoming import EventKey, Reading
from app.intake.lenient import first_text, moment_of, object_of, text_of
from app.intake.severities import known_severity

TOOL = "cloudevents"
VERSION = "specversion"
NEEDED = ("id", "source", "type")  # section 3.1.1 of the specification, beside the version
BATCH = "application/cloudevents-batch"
HEADER_PREFIX = "ce-"
OVER = frozenset({
    "resolved", "ok", "recovered", "recovery", "cleared", "closed", "normal", "inactive", "ended", "up",
})  # fmt: skip
THERE = frozenset({
    "firing", "triggered", "alerting", "problem", "active", "open", "opened", "raised", "started", "down", "fired",
    "created",
})  # fmt: skip
KEYS = ("key", "fingerprint", "dedup_key", "dedupKey", "incident_id", "alert_id")
CONSUMED = frozenset({VERSION, "datacontenttype", "data", "data_base64"})
EMPTY: tuple[object, ...] = (None, "", [], {})

Event = Mapping[str, Any]


def _alert(event: Event) -> Alert:
    data, file = _data(event)
    fields = object_of(data)
    status, stem = _status(event, fields)
    key = _key(event, fields, stem) if status else ""
    source, about, at = first_text(event, "source"), first_text(event, "subject"), moment_of(event.get("time"))
    # Fields of native alerts, which some put beside the attributes.
    content, severity = text_of(event.get("content")), known_severity(text_of(event.get("severity")))
    found = {"source": source, "subject": about, "time": at, "content": content, "severity": severity}
    extra = _extra(event, {name for name, value in found.items() if value})
    named = {"subject": about} if about else {}
    return draft(
        subject=_subject(event, data),
        content="\n\n".join(text for text in (content, _readable(data)) if text),
        severity=severity or severity_in(data),
        status=status or Status.FIRING,
        source=source,
        labels={**object_of(fields.get("labels")), **named} if key else {},
        key=key,
        starts_at=at if status is not Status.RESOLVED else None,
        ends_at=at if status is Status.RESOLVED else None,
        links=links_in(data),
        extra=extra if key else extra | named,
        files=[file] if file else (),
    )


def _extra(event: Event, shown: set[str]) -> dict[str, Any]:
    """Return all that the mail shows nowhere else, extension attributes above all."""
    return {name: value for name, value in event.items() if name not in CONSUMED | shown and value not in EMPTY}


def _readable(data: object) -> str:
    return data if isinstance(data, str) else readable(data) if data is not None else ""


def _data(event: Event) -> tuple[Any, Upload | None]:
    """Return the data, and a file if it is no text."""
    encoded = event.get("data_base64")
    if not isinstance(encoded, str):
        return event.get("data"), None
    try:
        decoded = decode_base64(encoded)
        return decoded.decode(), None
    except UnicodeDecodeError:
        return None, Upload("", first_text(event, "datacontenttype"), decoded)
    except ValueError:
        return encoded, None


def _status(event: Event, data: Event) -> tuple[Status | None, str]:
    """Return what the data says or the last word of the type, and the type without it. None if neither tells."""
    kind = first_text(event, "type")
    stem, _, last = kind.rpartition(".")
    told = first_text(data, "status", "state").strip().lower()
    for word in (told, last.lower()):
        if word in OVER | THERE:
            status = Status.RESOLVED if word in OVER else Status.FIRING
            return status, stem if last.lower() in OVER | THERE else kind
    return None, kind


def _subject(event: Event, data: object) -> str:
    about = first_text(event, "subject")
    found = subject_in(data) or (data.strip().partition("\n")[0] if isinstance(data, str) else "")
    if found and about and about not in found:
        return f"{about}: {found}"
    return found or " ".join(text for text in (first_text(event, "type"), about) if text)


def _key(event: Event, data: Event, stem: str) -> str:
    """An event has no key of its own: its id is new each time. What begins and ends is named by the rest.

    That is the key that the data gives, else the type without its last word, and what the event is about. What the
    data sums up is no part of it: `disk 97% full` may end as `disk 41% full`.
    """
    given = first_text(data, *KEYS)
    names = [given] if given else [stem, first_text(event, "subject")]
    return "/".join(name for name in (TOOL, first_text(event, "source"), *names) if name)


def _event_key(event: Event, body: bytes = b"") -> EventKey | None:
    """Return the name of the event, and what it says: the same in each of the three modes.

    Of its attributes these three stay the same however often an event is sent; those that carriers add may differ.
    `body` is what the event carries if that is no text.
    """
    name, source = first_text(event, "id"), first_text(event, "source")
    if not name or not source:
        return None
    data, file = _data(event)
    carried = file.data if file else body
    said = [first_text(event, "type"), first_text(event, "subject"), data, sha256(carried).hexdigest()]
    return EventKey(f"{TOOL}/{source}\0{name}", json.dumps(said, sort_keys=True).encode())


def _batch_keys(events: Sequence[Any]) -> list[EventKey | None]:
    """Return the name of the event behind each of the alerts; what read_each puts into one has that of all it says."""
    alone = len(events) if len(events) <= MAX_ALERTS else MAX_ALERTS - 1
    keys = [_event_key(event) if isinstance(event, dict) else None for event in events[:alone]]
    if alone < len(events):
        said = json.dumps(events[alone:], sort_keys=True).encode()
        keys.append(EventKey(f"{TOOL}/rest/{sha256(said).hexdigest()}", said))
    return keys


def _is_event(value: object) -> bool:
    return isinstance(value, dict) and VERSION in value and all(name in value for name in NEEDED)


def _is_batch(payload: Payload) -> bool:
    return payload.media_type.startswith(BATCH) or bool(payload.array and _is_event(payload.array[0]))


def _from_header(payload: Payload) -> Event:
    """Return the event of the binary mode (section 3.1); its data is the body."""
    # Section 3.1.3.2: what is no printable ASCII is percent-encoded, and may stand between quotes.
    event: dict[str, Any] = {
        name.removeprefix(HEADER_PREFIX): unquote(value.strip().strip('"'))
        for name, value in payload.headers.items()
        if name.startswith(HEADER_PREFIX)
    }
    event["datacontenttype"] = payload.media_type
    event["data"] = payload.document if payload.document is not None else payload.text or None
    return event


def _recognises(payload: Payload) -> bool:
    return HEADER_PREFIX + VERSION in payload.headers or _is_event(payload.document) or _is_batch(payload)


def _read(payload: Payload) -> Reading:
    if HEADER_PREFIX + VERSION in payload.headers:
        return _read_binary(payload)
    if _is_batch(payload):
        return _read_batch(payload)
    event = payload.object
    if not event.keys() & {"type", "data"}:
        raise NotUnderstood("neither the type nor the data of an event is there")
    return _reading((_alert(event),), [_event_key(event)])


def _read_binary(payload: Payload) -> Reading:
    event = _from_header(payload)
    alert = _alert(event)
    return _reading((alert,), [_event_key(event, payload.body if event["data"] is None else b"")])


def _read_batch(payload: Payload) -> Reading:
    """A batch may be empty (section 3.3)."""
    if not isinstance(payload.document, list):
        raise NotUnderstood("a batch of events is a JSON array")
    events = payload.array
    alerts = read_each(events, _alert) if events else ()
    return _reading(alerts, _batch_keys(events), is_batch=True)


def _reading(alerts: tuple[Alert, ...], keys: list[EventKey | None], *, is_batch: bool = False) -> Reading:
    return Reading(alerts, is_batch=is_batch, event_keys=tuple(keys) if any(keys) else ())


FORMAT = Format(name=TOOL, tool="CloudEvents", recognises=_recognises, read=_read, has_subjects=True)
