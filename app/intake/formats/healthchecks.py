"""Healthchecks' webhook with the body `$JSON`: a check as its management API shows it.

It may hold a `subject`, the words that mean success in a mail to the check: not that of an alert.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.domain.alert import Alert, Severity, Status
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.incoming import Reading
from app.intake.lenient import first_text, moment_of, number_of

TOOL = "healthchecks"
OURS = frozenset({"content", "severity"})
MARKS = frozenset({"n_pings", "grace", "status", "last_ping"})
DOWN = "down"


def _alert(check: Mapping[str, Any]) -> Alert:
    # The unique key stands in place of the UUID where the API key may only read; both name the check for good.
    identity = first_text(check, "uuid", "unique_key", "slug", "name")
    name = first_text(check, "name", "slug") or f"Check {identity}"
    is_down = first_text(check, "status").strip().lower() == DOWN
    return draft(
        subject=f"{name} is down",
        content=_content(check),
        severity=Severity.ERROR,
        status=Status.FIRING if is_down else Status.RESOLVED,
        source=TOOL,
        labels=_labels(check, name),
        key=f"{TOOL}/{identity}",
        # A check that is down tells when its ping was due; one that is up, when it came.
        starts_at=moment_of(check.get("next_ping")) if is_down else None,
        ends_at=None if is_down else moment_of(check.get("last_ping")),
    )


def _labels(check: Mapping[str, Any], name: str) -> dict[str, str]:
    tags = first_text(check, "tags")
    return {"check": name} | ({"tags": tags} if tags else {})


def _content(check: Mapping[str, Any]) -> str:
    lines = [
        first_text(check, "desc"),
        _line("Last ping", first_text(check, "last_ping") or "never"),
        _line("Schedule", " ".join(filter(None, [first_text(check, "schedule"), first_text(check, "tz")]))),
        _line("Period", _duration(check.get("timeout"))),
        _line("Grace", _duration(check.get("grace"))),
    ]
    return "\n".join(line for line in lines if line)


def _line(name: str, value: str) -> str:
    return f"{name}: {value}" if value else ""


def _duration(seconds: object) -> str:
    """Return seconds as days and hours:minutes:seconds."""
    number = number_of(seconds)
    try:
        return str(timedelta(seconds=number)) if number is not None else ""
    except OverflowError:
        return ""


def _recognises(payload: Payload) -> bool:
    """A check posts a `subject` too; what has a content or a severity besides was written for us."""
    return payload.object.keys() >= MARKS and OURS.isdisjoint(payload.object)


def _read(payload: Payload) -> Reading:
    check = payload.object
    if not first_text(check, "uuid", "unique_key", "slug", "name"):
        raise NotUnderstood("the check has neither a name nor an identity")
    return Reading((_alert(check),))


FORMAT = Format(name=TOOL, tool="Healthchecks, webhook", recognises=_recognises, read=_read, has_subjects=True)
