"""Gatus' custom alerts, whose body the site writes itself: the text of its documentation, or named fields. It knows no
severities: what is down is an error.

The text tells no more than whether it is over, so it is a one-shot. The fields have a key:
`{"status": "[ALERT_TRIGGERED_OR_RESOLVED]", "endpoint": "[ENDPOINT_NAME]", "group": "[ENDPOINT_GROUP]",
"url": "[ENDPOINT_URL]", "description": "[ALERT_DESCRIPTION]", "errors": "[RESULT_ERRORS]"}`
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.alert import Alert, Severity, Status
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.incoming import Reading
from app.intake.lenient import first_text
from app.intake.severities import severity_of

TOOL = "gatus"
TEXT_FIELDS = frozenset({"text"})
DOWN = Severity.ERROR
STATUSES = {"TRIGGERED": Status.FIRING, "RESOLVED": Status.RESOLVED}

_TEXT = re.compile(r"\s*(TRIGGERED|RESOLVED):")
_EMPTY_PLACES = " \t\r\n-"  # placeholders without a value leave dashes


def _of_text(text: str) -> Alert:
    told = _TEXT.match(text)
    if told is None:
        return draft(subject="", content=text, source=TOOL)
    rest = text[told.end() :].strip().rstrip(_EMPTY_PLACES)
    return draft(subject=rest, content=rest, severity=DOWN, status=STATUSES[told[1]], source=TOOL)


def _of_fields(fields: Mapping[str, Any]) -> Alert:
    endpoint, group = first_text(fields, "endpoint"), first_text(fields, "group")
    name = f"{group}/{endpoint}" if group else endpoint
    description = first_text(fields, "description")
    lines = [description, first_text(fields, "errors"), first_text(fields, "conditions")]
    return draft(
        subject=f"{name}: {description}" if description else f"{name} is unhealthy",
        content="\n".join(line for line in lines if line),
        severity=severity_of(first_text(fields, "severity"), DOWN),
        status=STATUSES.get(first_text(fields, "status").strip().upper(), Status.FIRING),
        source=TOOL,
        labels={"endpoint": endpoint} | ({"group": group} if group else {}),
        key=f"{TOOL}/{name}",
        links=[(first_text(fields, "url"), endpoint)],
    )


def _recognises(payload: Payload) -> bool:
    fields = payload.object
    if fields.keys() == TEXT_FIELDS:
        text = fields["text"]
        return isinstance(text, str) and text.lstrip().startswith(("TRIGGERED:", "RESOLVED:"))
    status = fields.get("status")
    return "endpoint" in fields and isinstance(status, str) and status in STATUSES


def _read(payload: Payload) -> Reading:
    fields = payload.object
    if first_text(fields, "endpoint"):
        alert = _of_fields(fields)
    elif text := first_text(fields, "text") or payload.text:
        alert = _of_text(text)
    else:
        raise NotUnderstood("neither `text` nor `endpoint` is there")
    return Reading((alert,))


FORMAT = Format(name=TOOL, tool="Gatus, custom alerts", recognises=_recognises, read=_read)
