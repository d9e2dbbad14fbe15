"""Uptime Kuma's webhook: a heartbeat of a monitor, or a notice without either (a test, a certificate)."""

from collections.abc import Mapping
from typing import Any

from app.domain.alert import Alert, Severity, Status
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.incoming import Reading
from app.intake.lenient import first_text, moment_of, number_of, object_of, objects_of, text_of

TOOL = "uptime-kuma"
MARKS = frozenset({"heartbeat", "monitor", "msg"})
TEST_ENDING = " Testing"  # what the button "Test" puts behind the name of the notification

DOWN, UP, PENDING, MAINTENANCE = range(4)
# Kuma knows no severities. An up shares subject and severity with the down that it ends.
MEANINGS = {
    DOWN: ("is down", Severity.ERROR, Status.FIRING),
    UP: ("is down", Severity.ERROR, Status.RESOLVED),
    PENDING: ("is pending", Severity.WARNING, Status.FIRING),
    MAINTENANCE: ("is under maintenance", Severity.INFO, Status.FIRING),
}
UNKNOWN = ("has news", Severity.WARNING, Status.FIRING)


def _of_heartbeat(heartbeat: Mapping[str, Any], monitor: Mapping[str, Any], message: str) -> Alert:
    number = first_text(heartbeat, "monitorID") or first_text(monitor, "id")
    name = first_text(monitor, "name") or f"Monitor {number}".strip()
    what, severity, status = _meaning(heartbeat)
    at = moment_of(heartbeat.get("time"))  # in UTC; localDateTime is that of its time zone
    return draft(
        subject=f"{name} {what}",
        content=_content(heartbeat, monitor, message),
        severity=severity,
        status=status,
        source=TOOL,
        labels=_labels(monitor, name),
        key=f"{TOOL}/{number}" if number else "",
        starts_at=at if status is Status.FIRING else None,
        ends_at=at if status is Status.RESOLVED else None,
        links=[(first_text(monitor, "url"), name)],
    )


def _meaning(heartbeat: Mapping[str, Any]) -> tuple[str, Severity, Status]:
    code = number_of(heartbeat.get("status"))
    return MEANINGS.get(int(code), UNKNOWN) if code is not None else UNKNOWN


def _content(heartbeat: Mapping[str, Any], monitor: Mapping[str, Any], message: str) -> str:
    lines = [first_text(heartbeat, "msg") or message]
    if host := first_text(monitor, "hostname"):
        port = first_text(monitor, "port")
        lines.append(f"Host: {host}:{port}" if port else f"Host: {host}")
    if ping := first_text(heartbeat, "ping"):
        lines.append(f"Response time: {ping} ms")
    return "\n".join(line for line in lines if line)


def _labels(monitor: Mapping[str, Any], name: str) -> dict[str, Any]:
    tags = {first_text(tag, "name"): text_of(tag.get("value")) for tag in objects_of(monitor.get("tags"))}
    kind = first_text(monitor, "type")
    return {tag: value for tag, value in tags.items() if tag} | {"monitor": name} | ({"type": kind} if kind else {})


def _notice(message: str) -> Alert:
    is_test = message.endswith(TEST_ENDING)
    return draft(subject=message, content=message, severity=Severity.INFO if is_test else Severity.WARNING, source=TOOL)


def _recognises(payload: Payload) -> bool:
    return payload.object.keys() >= MARKS


def _read(payload: Payload) -> Reading:
    fields = payload.object
    heartbeat, monitor = object_of(fields.get("heartbeat")), object_of(fields.get("monitor"))
    message = first_text(fields, "msg")
    if not (heartbeat or message):
        raise NotUnderstood("neither `heartbeat` nor `msg` is there")
    alert = _of_heartbeat(heartbeat, monitor, message) if heartbeat else _notice(message)
    return Reading((alert,))


FORMAT = Format(name=TOOL, tool="Uptime Kuma, webhook", recognises=_recognises, read=_read)
