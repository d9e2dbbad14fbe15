"""Sentry's webhooks: alerts on events (one-shots), alerts on metrics, and issues that come and go.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
"""

import re
from collections.abc import Mapping
from typing import Any

from app.domain.alert import Alert, Severity, Status
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.incoming import EventKey, Reading
from app.intake.lenient import first_text, moment_of, object_of, text_of, texts_of
from app.intake.severities import severity_of

TOOL = "sentry"
SUBJECTS_OF_DATA = frozenset({"event", "error", "issue", "metric_alert", "description_title"})
METRIC_ACTIONS = {
    "critical": (Status.FIRING, Severity.CRITICAL),
    "warning": (Status.FIRING, Severity.WARNING),
    "resolved": (Status.RESOLVED, None),  # how bad it was is not said
}
ISSUE_ACTIONS = {
    "created": Status.FIRING,
    "unresolved": Status.FIRING,
    "resolved": Status.RESOLVED,
    "archived": Status.RESOLVED,
    "ignored": Status.RESOLVED,  # as `archived` was called before
}
EVENT_EXTRAS = ("project", "environment", "release", "platform", "event_id", "issue_id")

_STATUS_IN_TITLE = re.compile(r"^(?:critical|warning|resolved):\s*", re.IGNORECASE)

Object = Mapping[str, Any]


def _of_event(event: Object, data: Object) -> Alert:
    """One event of many: nothing will ever say that it is over."""
    rule = first_text(data, "triggered_rule") or first_text(object_of(data.get("issue_alert")), "title")
    culprit = first_text(event, "culprit", "location")
    message = first_text(event, "message")
    title = first_text(event, "title", "message")
    lines = [message if message != title else "", culprit, f"Rule: {rule}" if rule else ""]
    return draft(
        subject=title,
        content="\n".join(line for line in lines if line),
        severity=severity_of(first_text(event, "level"), Severity.ERROR),
        source=TOOL,
        starts_at=moment_of(event.get("datetime")),
        links=[(first_text(event, "web_url"), "Sentry")],
        extra={name: event[name] for name in EVENT_EXTRAS if text_of(event.get(name))},
    )


def _of_metric(action: str, data: Object) -> Alert:
    status, severity = METRIC_ACTIONS[action]
    metric = object_of(data.get("metric_alert"))
    rule = object_of(metric.get("alert_rule"))
    title = _STATUS_IN_TITLE.sub("", first_text(data, "description_title"))
    title = title or first_text(rule, "name") or first_text(metric, "title")
    projects = texts_of(metric.get("projects")) or texts_of(rule.get("projects"))
    labels = {"project": ", ".join(sorted(projects)), "environment": first_text(rule, "environment")}
    return draft(
        subject=title,
        content=first_text(data, "description_text"),
        severity=severity,
        status=status,
        source=TOOL,
        labels={name: value for name, value in labels.items() if value},
        key=f"{TOOL}/metric/{first_text(metric, 'id', 'identifier') or title}",
        starts_at=moment_of(metric.get("date_started")) or moment_of(metric.get("date_detected")),
        ends_at=moment_of(metric.get("date_closed")) if status is Status.RESOLVED else None,
        links=[(first_text(data, "web_url"), "Sentry")],
    )


def _of_issue(action: str, issue: Object) -> Alert:
    status = ISSUE_ACTIONS[action]
    project = first_text(object_of(issue.get("project")), "slug", "name")
    count = first_text(issue, "count")
    lines = [first_text(issue, "culprit"), f"Issue {action}", f"Events: {count}" if count else ""]
    title, name = first_text(issue, "title", "shortId"), first_text(issue, "shortId")
    return draft(
        subject=title,
        content="\n".join(line for line in lines if line),
        severity=severity_of(first_text(issue, "level"), Severity.ERROR),
        status=status,
        source=TOOL,
        labels={"project": project} if project else {},
        key=f"{TOOL}/issue/{first_text(issue, 'id') or name or title}",
        starts_at=moment_of(issue.get("firstSeen")),
        links=[(first_text(issue, "web_url", "permalink"), "Sentry")],
        extra={"issue": name} if name else {},
    )


def _alert(document: Object) -> Alert:
    action, data = first_text(document, "action").lower(), object_of(document.get("data"))
    event, issue = object_of(data.get("event")) or object_of(data.get("error")), object_of(data.get("issue"))
    if event:
        return _of_event(event, data)
    if issue and action in ISSUE_ACTIONS:
        return _of_issue(action, issue)
    if action in METRIC_ACTIONS and ("metric_alert" in data or "description_title" in data):
        return _of_metric(action, data)
    raise NotUnderstood("Sentry tells of neither an event, nor a metric, nor an issue that came or went")


def _recognises(payload: Payload) -> bool:
    document = payload.object
    data = document.get("data")
    if not isinstance(data, dict) or "action" not in document:
        return False
    is_sentry = "sentry-hook-resource" in payload.headers or "installation" in document or "actor" in document
    return is_sentry or not SUBJECTS_OF_DATA.isdisjoint(data)


def _read(payload: Payload) -> Reading:
    alert = _alert(payload.object)
    request = payload.headers.get("request-id", "").strip()
    keys = (EventKey(f"{TOOL}/{request}", payload.body),) if request else ()
    return Reading((alert,), event_keys=keys)


FORMAT = Format(name=TOOL, tool="Sentry, webhooks", recognises=_recognises, read=_read)
