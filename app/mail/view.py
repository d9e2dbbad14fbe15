"""What a template can show of an alert: flat, named values, all text."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypedDict

from app.domain.alert import Alert, Severity, Status
from app.domain.envelope import QueuedMail
from app.domain.ids import format_id
from app.mail.attachment_notes import attachment_notes

COLOURS: Mapping[Severity, str] = {
    Severity.INFO: "#1976d2",
    Severity.WARNING: "#f9a825",
    Severity.ERROR: "#e64a19",
    Severity.CRITICAL: "#c2185b",
}
RESOLVED_COLOUR = "#2e7d32"
SHORT_JSON = 72  # what fits on one line of a mail
HOW_TO_ACKNOWLEDGE = 'Answer "ack" (or "ack 2h") to say that you see to it.'
MAX_INDENTED_JSON = 4096  # indentation can multiply the size of deeply nested JSON
_CLICKABLE = re.compile(r"(?:https?://|mailto:)[^\s<>\"]+", re.IGNORECASE)


class View(TypedDict):
    """The variables of a template. What is not set is empty; times are in UTC."""

    subject: str
    content: str
    severity: str
    status: str  # "firing" or "resolved", empty for an alert that has no status to follow
    source: str
    labels: list[tuple[str, str]]
    key: str
    starts_at: str
    ends_at: str
    links: list[tuple[str, str, str]]  # address, title, and the address again if it is safe to click on
    extra: list[tuple[str, str]]
    notes: tuple[str, ...]
    alert_id: str  # of the alert that the mail is about, also where it answers a person
    received_at: str  # empty where it answers a person
    server_name: str
    colour: str
    how_to_acknowledge: str  # a sentence, empty where an answer acknowledges nothing


def view_of(mail: QueuedMail) -> View:
    """Return what the templates show of the mail's alert."""
    accepted = mail.accepted
    alert = accepted.alert
    resolved = alert.status is Status.RESOLVED
    return {
        "subject": alert.subject,
        "content": alert.content.rstrip(),
        "severity": alert.severity.value,
        "status": alert.status.value if has_status(alert) else "",
        "source": alert.source,
        "labels": sorted(alert.labels.items()),
        "key": alert.key,
        "starts_at": _utc(alert.starts_at) if alert.starts_at else "",
        "ends_at": _utc(alert.ends_at) if alert.ends_at else "",
        "links": [(link.url, link.title, _clickable(link.url)) for link in alert.links],
        "extra": [(name, _readable(value)) for name, value in alert.extra.items()],
        "notes": (*alert.notes, *attachment_notes(mail)),
        "alert_id": format_id(alert.answers.alert_id if alert.answers else accepted.id),
        "received_at": "" if alert.answers else _utc(accepted.received_at),
        "server_name": mail.letterhead.server_name,
        "colour": RESOLVED_COLOUR if resolved else COLOURS[alert.severity],
        "how_to_acknowledge": HOW_TO_ACKNOWLEDGE if _can_be_acknowledged(mail) else "",
    }


def has_status(alert: Alert) -> bool:
    """Tell whether the alert has an identity, so that firing and resolved mean something, or was resolved."""
    return bool(alert.key or alert.labels) or alert.status is Status.RESOLVED


def _can_be_acknowledged(mail: QueuedMail) -> bool:
    """Whether answers are heard, and there is something to see to: neither in an alarm nor in what answers a person."""
    letterhead, alert = mail.letterhead, mail.accepted.alert
    is_heard = letterhead.takes_answers and letterhead.reply_to is None  # else answers go to an address of theirs
    return is_heard and alert.status is not Status.RESOLVED and alert.answers is None and not letterhead.is_alarm


def _utc(moment: datetime) -> str:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:  # the first and the last day there are, in another zone
        return str(moment)
    return f"{moment.isoformat(sep=' ')[:19]} UTC"


def _clickable(url: str) -> str:
    return url if _CLICKABLE.fullmatch(url) else ""


def _readable(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
        if SHORT_JSON < len(text) <= MAX_INDENTED_JSON:
            return json.dumps(value, ensure_ascii=False, default=str, indent=2)
    except (ValueError, RecursionError):
        return "(nested too deeply to be shown)"
    return text
