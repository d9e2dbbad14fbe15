"""Alerta's alert format, as its API takes it and its webhooks send it on."""

from collections.abc import Mapping
from typing import Any

from app.domain.alert import Alert, Severity, Status
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.incoming import Reading
from app.intake.lenient import first_text, moment_of, texts_of
from app.intake.severities import severity_of

TOOL = "alerta"
MARKS = frozenset({"environment", "severity", "service"})
RECOVERED = frozenset({"normal", "ok", "cleared"})  # severities
OVER = frozenset({"closed", "expired"})  # statuses
NOTHING_BEFORE = frozenset({"", "indeterminate", "unknown"})  # what previousSeverity says of a new alert
OWN_SEVERITIES = {"security": Severity.CRITICAL}  # its highest, above critical
KEPT = ("type", "status", "tags", "attributes")


def _alert(fields: Mapping[str, Any]) -> Alert:
    event, resource = first_text(fields, "event"), first_text(fields, "resource")
    status = _status(fields)
    at = moment_of(fields.get("createTime"))
    return draft(
        subject=f"{event} on {resource}" if event and resource else event or resource,
        content=_content(fields),
        severity=_severity(fields, status),
        status=status,
        source=first_text(fields, "origin") or TOOL,
        labels=_labels(fields),
        key="/".join([TOOL, first_text(fields, "environment"), resource, _event_name(fields)]),
        starts_at=at if status is Status.FIRING else None,
        ends_at=at if status is Status.RESOLVED else None,
        links=[(first_text(fields, "href"), "Alerta")],
        extra={name: fields[name] for name in KEPT if fields.get(name)},
    )


def _status(fields: Mapping[str, Any]) -> Status:
    severity = first_text(fields, "severity").strip().lower()
    is_over = severity in RECOVERED or first_text(fields, "status").strip().lower() in OVER
    return Status.RESOLVED if is_over else Status.FIRING


def _severity(fields: Mapping[str, Any], status: Status) -> Severity | None:
    """Return how bad it is or was, None where the recovery of something does not tell."""
    word = first_text(fields, "severity").strip().lower()
    if status is Status.RESOLVED and word in RECOVERED:
        before = first_text(fields, "previousSeverity").strip().lower()
        if before in NOTHING_BEFORE | RECOVERED:
            return None
        word = before
    return OWN_SEVERITIES.get(word) or severity_of(word)


def _event_name(fields: Mapping[str, Any]) -> str:
    """Return what all events that `correlate` names share, so that NodeUp resolves NodeDown."""
    return min([first_text(fields, "event"), *texts_of(fields.get("correlate"))])


def _labels(fields: Mapping[str, Any]) -> dict[str, str]:
    """The event is one only where no other can follow it under the same key."""
    names = ("resource", "environment", "group", "customer")
    labels = {name: first_text(fields, name) for name in names}
    labels["service"] = ", ".join(sorted(texts_of(fields.get("service"))))
    if not texts_of(fields.get("correlate")):
        labels["event"] = first_text(fields, "event")
    return {name: value for name, value in labels.items() if value}


def _content(fields: Mapping[str, Any]) -> str:
    value = first_text(fields, "value")
    lines = [first_text(fields, "text"), f"Value: {value}" if value else "", first_text(fields, "rawData")]
    return "\n".join(line for line in lines if line)


def _recognises(payload: Payload) -> bool:
    fields = payload.object
    return (
        isinstance(fields.get("event"), str)
        and isinstance(fields.get("resource"), str)
        and not MARKS.isdisjoint(fields)
    )


def _read(payload: Payload) -> Reading:
    fields = payload.object
    if not (first_text(fields, "event") or first_text(fields, "resource")):
        raise NotUnderstood("neither `event` nor `resource` is there")
    return Reading((_alert(fields),))


FORMAT = Format(name=TOOL, tool="Alerta", recognises=_recognises, read=_read)
