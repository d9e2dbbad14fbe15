"""Gotify's messages, as its /message takes them: JSON or a form. They tell neither status nor key: one-shots.

https://gotify.net/docs/pushmsg and https://gotify.net/docs/msgextras
"""

from collections.abc import Mapping
from typing import Any

from app.domain.alert import Alert, Severity
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.formats import ntfy
from app.intake.incoming import Reading
from app.intake.lenient import first_text, number_of, object_of
from app.intake.title import read_title

TOOL = "gotify"
FIELDS = frozenset({"title", "message", "priority", "extras", "appid", "id", "date"})
NOTIFICATION = "client::notification"
DISPLAY = "client::display"
# Of 0 to 10: how loud the app gets from this number on.
LOUDNESS = ((10, Severity.CRITICAL), (8, Severity.ERROR), (4, Severity.WARNING))


def _alert(fields: Mapping[str, Any], payload: Payload) -> Alert:
    extras = object_of(fields.get("extras"))
    notification = object_of(extras.get(NOTIFICATION))
    return draft(
        subject=first_text(fields, "title") or read_title(payload.headers.get("title", "")),
        content=first_text(fields, "message"),
        severity=_severity(number_of(fields.get("priority"))),
        source=TOOL,
        links=[
            (first_text(object_of(notification.get("click")), "url"), ""),
            (first_text(notification, "bigImageUrl"), "Image"),
        ],
        extra={name: value for name, value in extras.items() if name not in {NOTIFICATION, DISPLAY}},
    )


def _severity(priority: float | None) -> Severity:
    if priority is None:
        return Severity.WARNING
    return next((severity for least, severity in LOUDNESS if priority >= least), Severity.INFO)


def _recognises(payload: Payload) -> bool:
    fields = payload.object
    return "message" in fields and fields.keys() <= FIELDS and not ntfy.is_addressed(payload)


def _read(payload: Payload) -> Reading:
    fields = payload.object
    if not first_text(fields, "title", "message"):
        raise NotUnderstood("neither `title` nor `message` is there")
    alert = _alert(fields, payload)
    return Reading((alert,))


FORMAT = Format(name=TOOL, tool="Gotify, /message", recognises=_recognises, read=_read)
