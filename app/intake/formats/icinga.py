"""Nagios and Icinga: what a notification command posts, its fields named like the macros or variables of either.

`servicestate`, `service_state`, `service.state`, `SERVICESTATE` and `NAGIOS_SERVICESTATE` are the same to us.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from app.domain.alert import Alert, Severity, Status
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.incoming import Reading
from app.intake.lenient import MAX_TIME_TEXT, first_text, moment_of, text_of

TOOL = "icinga"
KIND_NAMES = (
    "notificationtype", "NOTIFICATIONTYPE", "notification_type", "notification.type", "NotificationType",
    "NAGIOS_NOTIFICATIONTYPE", "ICINGA_NOTIFICATIONTYPE",
)  # fmt: skip
PROBLEM, RECOVERY = "PROBLEM", "RECOVERY"
# What happened to a problem, or to the watching of it. These tell neither that it began nor that it ended.
NOTICES = {
    "ACKNOWLEDGEMENT": "Acknowledged",
    "FLAPPINGSTART": "Flapping",
    "FLAPPINGSTOP": "No longer flapping",
    "FLAPPINGEND": "No longer flapping",
    "FLAPPINGDISABLED": "Flapping no longer watched",
    "DOWNTIMESTART": "Downtime begins",
    "DOWNTIMEEND": "Downtime ends",
    "DOWNTIMECANCELLED": "Downtime cancelled",
    "DOWNTIMEREMOVED": "Downtime removed",
    "CUSTOM": "Notice",
}
KINDS = frozenset({PROBLEM, RECOVERY, *NOTICES})
SEVERITIES = {
    "OK": Severity.INFO,
    "UP": Severity.INFO,
    "WARNING": Severity.WARNING,
    "UNKNOWN": Severity.WARNING,
    "UNREACHABLE": Severity.ERROR,
    "CRITICAL": Severity.CRITICAL,
    "DOWN": Severity.CRITICAL,
}
GOOD_STATES = frozenset({"OK", "UP"})
HOST_PROBLEM = "DOWN"  # the only one that a host has of itself

_PREFIX = re.compile(r"^(?:nagios|icinga)")
_SEPARATOR = re.compile(r"[_.\s-]")
_BEFORE_OFFSET = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)")  # `2026-11-22 21:00:00 +0000`, as Icinga writes times

Fields = Mapping[str, str]


def _fields(document: Mapping[str, object]) -> Fields:
    """Return the texts by their short names. A macro without a value stays as it is written, and counts as none."""
    fields: dict[str, str] = {}
    for name, value in document.items():
        text = text_of(value).strip()
        if text and not (text[0] == text[-1] == "$"):
            fields[_PREFIX.sub("", _SEPARATOR.sub("", name.lower()))] = text
    return fields


def _alert(kind: str, fields: Fields) -> Alert:
    host, service = first_text(fields, "hostname", "hostalias"), first_text(fields, "servicename", "servicedesc")
    state = _state(fields, service)
    thing = _thing(fields, host, service)
    labels = {"host": host} | ({"service": service} if service else {})
    links = [(first_text(fields, name), "") for name in ("serviceactionurl", "hostactionurl", "notesurl", "url")]
    content = _content(fields, state)
    if kind in NOTICES:
        subject = f"{NOTICES[kind]}: {thing}" + (f" is {state}" if state else "")
        severity = SEVERITIES.get(state)
        return draft(subject=subject, content=content, severity=severity, source=TOOL, links=links, extra=labels)
    problem = state if kind == PROBLEM else _state_before(fields, service)
    at = _moment(fields)
    return draft(
        subject=f"{thing} is {problem}" if problem else thing,
        content=content,
        severity=SEVERITIES.get(problem),
        status=Status.FIRING if kind == PROBLEM else Status.RESOLVED,
        source=TOOL,
        labels=labels,
        key=f"{TOOL}/{host}!{service}" if service else f"{TOOL}/{host}",  # as Icinga itself writes the two
        starts_at=at if kind == PROBLEM else None,
        ends_at=at if kind == RECOVERY else None,
        links=links,
        extra={"address": fields["hostaddress"]} if "hostaddress" in fields else {},
    )


def _thing(fields: Fields, host: str, service: str) -> str:
    host = first_text(fields, "hostdisplayname") or host
    service = first_text(fields, "servicedisplayname") or service
    return f"{service} on {host}" if service else host


def _state(fields: Fields, service: str) -> str:
    return first_text(fields, "servicestate" if service else "hoststate", "state").upper()


def _state_before(fields: Fields, service: str) -> str:
    """Return the state of the problem that is over, "" if nobody says."""
    names = ("lastservicestate", "servicelaststate") if service else ("lasthoststate", "hostlaststate")
    before = first_text(fields, *names, "laststate").upper()
    if before in SEVERITIES and before not in GOOD_STATES:
        return before
    return "" if service else HOST_PROBLEM


def _content(fields: Fields, state: str) -> str:
    author = first_text(fields, "author", "notificationauthorname", "notificationauthor")
    comment = first_text(fields, "comment", "notificationcomment")
    lines = [
        first_text(fields, "serviceoutput", "hostoutput", "output"),
        first_text(fields, "longserviceoutput", "longhostoutput"),
        f"State: {state}" if state else "",
        f"Comment of {author}: {comment}" if comment and author else comment,
    ]
    return "\n".join(line for line in lines if line)


def _moment(fields: Fields) -> datetime | None:
    """Return when the state changed, else when this was said."""
    changed = moment_of(first_text(fields, "lastservicestatechange", "lasthoststatechange", "laststatechange"))
    said = first_text(fields, "timet", "longdatetime", "date")
    return changed or (moment_of(_BEFORE_OFFSET.sub("", said)) if len(said) <= MAX_TIME_TEXT else None)


def _kind(value: object) -> str:
    return text_of(value).strip().upper()


def _recognises(payload: Payload) -> bool:
    fields = payload.object
    return any(_kind(fields.get(name)) in KINDS for name in KIND_NAMES)


def _read(payload: Payload) -> Reading:
    fields = _fields(payload.object)
    kind = _kind(fields.get("notificationtype"))
    if kind not in KINDS or not first_text(fields, "hostname", "hostalias"):
        raise NotUnderstood("a notification needs its type and the name of a host")
    alert = _alert(kind, fields)
    return Reading((alert,))


FORMAT = Format(name=TOOL, tool="Nagios and Icinga, notification commands", recognises=_recognises, read=_read)
