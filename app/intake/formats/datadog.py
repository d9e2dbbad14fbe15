"""Datadog's webhooks: a body that the site writes from variables, or the one that Datadog sends by itself.

`alert_transition`, `alertTransition` and `ALERT_TRANSITION` are the same to us.
https://docs.datadoghq.com/integrations/webhooks/
"""

import re
from collections.abc import Mapping
from datetime import datetime

from app.domain.alert import Alert, Severity, Status
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.incoming import Reading
from app.intake.lenient import first_text, moment_of, text_of
from app.intake.severities import severity_of
from app.intake.tags import labels_of

TOOL = "datadog"
TRANSITIONS = ("alert_transition", "alertTransition", "ALERT_TRANSITION")
OWN_BODY = ("event_type", "last_updated", "title")  # of the body that Datadog sends by itself
TITLES = ("alerttitle", "title", "eventtitle")
TEXTS = ("textonlymsg", "body", "eventmsg", "message", "msg")
PRIORITIES = re.compile(r"P[1-5]", re.IGNORECASE)
RECOVERED = "recovered"
WARN = "warn"

_TRANSITION = r"(?:Re-)?(?:Triggered|Warn|No Data)|Recovered|Renotify"
# `[P1] [Triggered on {host:db1}] Disk full`
_PREFIX = re.compile(
    rf"\s*\[(?:P[1-5]|(?P<transition>{_TRANSITION})(?: on \{{(?P<scope>[^{{}}\]]*)\}})?)\]\s*", re.IGNORECASE
)
_VARIABLE = re.compile(r"\$[A-Z_]+(?:\[[^\]]*\])?")  # one that has no value is sent as it is written
_MARKDOWN_FENCE = "%%%"

Fields = Mapping[str, str]


def _fields(document: Mapping[str, object]) -> Fields:
    fields: dict[str, str] = {}
    for name, value in document.items():
        text = text_of(value).strip()
        if text and not _VARIABLE.fullmatch(text):
            fields[name.replace("_", "").lower()] = text
    return fields


def _alert(fields: Fields) -> Alert:
    title, told, scope = _title(first_text(fields, *TITLES))
    transition = (first_text(fields, "alerttransition") or told).lower()
    status = Status.RESOLVED if RECOVERED in transition else Status.FIRING
    host = first_text(fields, "hostname", "host")
    where = host or first_text(fields, "alertscope") or scope
    labels = labels_of(first_text(fields, "tags")) | ({"host": host} if host else {})
    key = _key(fields, title, where) if transition else ""
    at = _moment(fields)
    return draft(
        subject=f"{title} on {where}" if where and where not in title else title,
        content=_content(fields),
        severity=_severity(fields, transition),
        status=status,
        source=TOOL,
        labels=labels if key else {},
        key=key,
        starts_at=at if status is Status.FIRING else None,
        ends_at=at if status is Status.RESOLVED else None,
        links=[(first_text(fields, "link", "eventurl", "url"), "Datadog"), (first_text(fields, "snapshot"), "Graph")],
        extra={} if key else labels,
    )


def _title(text: str) -> tuple[str, str, str]:
    """Return the name of the monitor, and what the brackets before it tell: transition and scope, "" for none."""
    transition = scope = ""
    end = 0
    while (prefix := _PREFIX.match(text, end)) is not None:
        transition, scope = transition or prefix["transition"] or "", scope or prefix["scope"] or ""
        end = prefix.end()
    return text[end:].strip(), transition, scope


def _key(fields: Fields, title: str, where: str) -> str:
    """Return what Datadog calls one alert from begin to end, else what comes next to it."""
    if cycle := first_text(fields, "alertcyclekey", "aggregkey", "aggregationkey"):
        return f"{TOOL}/{cycle}"
    return f"{TOOL}/{first_text(fields, 'alertid', 'monitorid') or title}/{where}"


def _severity(fields: Fields, transition: str) -> Severity | None:
    """A recovery is of type "success", which does not tell how bad it was."""
    priority = first_text(fields, "alertpriority", "priority")
    if WARN in transition:
        return Severity.WARNING
    if PRIORITIES.fullmatch(priority):
        return severity_of(priority)
    return None if RECOVERED in transition else severity_of(first_text(fields, "alerttype"))


def _content(fields: Fields) -> str:
    text = first_text(fields, *TEXTS).replace(_MARKDOWN_FENCE, "").strip()
    status, query = first_text(fields, "alertstatus"), first_text(fields, "alertquery")
    return "\n".join(line for line in (text, status, f"Query: {query}" if query else "") if line)


def _moment(fields: Fields) -> datetime | None:
    return moment_of(first_text(fields, "date", "lastupdated"))


def _recognises(payload: Payload) -> bool:
    fields = payload.object
    return any(name in fields for name in TRANSITIONS) or all(name in fields for name in OWN_BODY)


def _read(payload: Payload) -> Reading:
    fields = _fields(payload.object)
    if not first_text(fields, *TITLES, *TEXTS):
        raise NotUnderstood("neither a title nor a message is there")
    alert = _alert(fields)
    return Reading((alert,))


FORMAT = Format(name=TOOL, tool="Datadog, webhooks", recognises=_recognises, read=_read)
