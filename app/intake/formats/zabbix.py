"""Zabbix: what the script of a media type posts, its parameters named by the macros that they hold.

`EVENT.ID` and `event_id` are the same to us. A script may post any selection of them.
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

TOOL = "zabbix"
MARKS = (
    "EVENT.ID", "EVENT.NAME", "EVENT.VALUE", "EVENT.NSEVERITY", "EVENT.UPDATE.STATUS", "TRIGGER.ID", "TRIGGER.STATUS",
    "ALERT.SUBJECT", "event_id", "event_name", "event_value", "event_nseverity", "event_update_status", "trigger_id",
    "alert_subject",
)  # fmt: skip
ENOUGH_MARKS = 2
# Severities by number, from "not classified" up; their names anybody may change.
SEVERITIES = {
    "0": Severity.INFO,
    "1": Severity.INFO,
    "2": Severity.WARNING,
    "3": Severity.WARNING,
    "4": Severity.ERROR,
    "5": Severity.CRITICAL,
}
OK_STATUSES = frozenset({"ok", "resolved"})

_UNRESOLVED = re.compile(r"\{[^{}]*\}|\*UNKNOWN\*")  # a macro that has no value here stays as it is written
_STATUS_IN_SUBJECT = re.compile(r"^(?:(?:problem|resolved|updated problem)(?: in [\w ]{1,40})?:\s*)+", re.IGNORECASE)
_OWN_TAG = "__"  # media types put tags of this kind at an event in the course of its life

Macros = Mapping[str, str]


def _macros(fields: Mapping[str, object]) -> Macros:
    """Return what the macros that have a value say, by their dotted names."""
    macros: dict[str, str] = {}
    for name, value in fields.items():
        text = text_of(value).strip()
        if text and not (text[0] in "{*" and _UNRESOLVED.fullmatch(text)):
            macros[name.strip("{}").replace("_", ".").upper()] = text
    return macros


def _alert(macros: Macros) -> Alert:
    status = _status(macros)
    host = first_text(macros, "HOST.NAME", "HOST.HOST")
    subject = _subject(macros, host)
    return draft(
        subject=subject,
        content=_content(macros),
        severity=SEVERITIES.get(first_text(macros, "EVENT.NSEVERITY", "TRIGGER.NSEVERITY"), _named_severity(macros)),
        status=status,
        source=TOOL,
        labels=_labels(macros, host),
        key=_key(macros, subject),
        starts_at=_moment(macros, "EVENT"),
        ends_at=_moment(macros, "EVENT.RECOVERY") if status is Status.RESOLVED else None,
        links=_links(macros),
        extra={"address": macros["HOST.IP"]} if "HOST.IP" in macros else {},
    )


def _status(macros: Macros) -> Status:
    """The trigger may have changed since the event, so it is asked only where the event does not say."""
    recovered = macros.get("EVENT.VALUE") == "0" or macros.get("EVENT.RECOVERY.VALUE") == "0"
    if "EVENT.VALUE" not in macros:
        words = {first_text(macros, "EVENT.STATUS").lower(), first_text(macros, "TRIGGER.STATUS").lower()}
        recovered = recovered or macros.get("TRIGGER.VALUE") == "0" or not OK_STATUSES.isdisjoint(words)
    return Status.RESOLVED if recovered else Status.FIRING


def _named_severity(macros: Macros) -> Severity:
    return severity_of(first_text(macros, "EVENT.SEVERITY", "TRIGGER.SEVERITY"))


def _subject(macros: Macros, host: str) -> str:
    """Return the same for problem and recovery: what is wrong, and where."""
    subject = _STATUS_IN_SUBJECT.sub("", first_text(macros, "ALERT.SUBJECT"), count=1)
    name = first_text(macros, "EVENT.NAME", "TRIGGER.NAME") or subject
    return f"{name} on {host}" if host and host not in name else name


def _content(macros: Macros) -> str:
    update = " ".join(
        text
        for text in (
            first_text(macros, "USER.FULLNAME"),
            first_text(macros, "EVENT.UPDATE.ACTION"),
            first_text(macros, "EVENT.UPDATE.MESSAGE"),
        )
        if text
    )
    data = first_text(macros, "EVENT.OPDATA")
    lines = [
        f"Update: {update}" if update and macros.get("EVENT.UPDATE.STATUS") == "1" else "",
        first_text(macros, "ALERT.MESSAGE"),
        f"Operational data: {data}" if data else "",
    ]
    return "\n".join(line for line in lines if line)


def _labels(macros: Macros, host: str) -> dict[str, str]:
    tags = labels_of(first_text(macros, "EVENT.TAGS"))
    lasting = {name: value for name, value in tags.items() if not name.startswith(_OWN_TAG)}
    return ({"host": host} if host else {}) | lasting


def _key(macros: Macros, subject: str) -> str:
    if event := first_text(macros, "EVENT.ID"):
        return f"{TOOL}/{event}"
    return f"{TOOL}/trigger/{first_text(macros, 'TRIGGER.ID') or subject}"


def _moment(macros: Macros, event: str) -> datetime | None:
    """Return what Unix seconds tell, else the time of the Zabbix server, which has no offset and is taken for UTC."""
    date, time = first_text(macros, f"{event}.DATE"), first_text(macros, f"{event}.TIME")
    return moment_of(macros.get(f"{event}.TIMESTAMP")) or moment_of(f"{date.replace('.', '-')} {time}")


def _links(macros: Macros) -> list[tuple[str, str]]:
    base = first_text(macros, "ZABBIX.URL", "$ZABBIX.URL").rstrip("/")
    trigger, event = first_text(macros, "TRIGGER.ID"), first_text(macros, "EVENT.ID")
    has_page = trigger.isdigit() and event.isdigit()
    page = f"/tr_events.php?triggerid={trigger}&eventid={event}" if has_page else ""
    return [(base + page, "Zabbix"), (first_text(macros, "TRIGGER.URL"), "Trigger")]


def _recognises(payload: Payload) -> bool:
    fields = payload.object
    return sum(mark in fields for mark in MARKS) >= ENOUGH_MARKS


def _read(payload: Payload) -> Reading:
    macros = _macros(payload.object)
    if not first_text(macros, "EVENT.NAME", "TRIGGER.NAME", "ALERT.SUBJECT", "ALERT.MESSAGE"):
        raise NotUnderstood("neither EVENT.NAME nor ALERT.SUBJECT is there")
    alert = _alert(macros)
    return Reading((alert,))


FORMAT = Format(name=TOOL, tool="Zabbix, media type script", recognises=_recognises, read=_read)
