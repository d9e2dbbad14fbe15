"""What the query of a URL asks for: /alerts?subject=Backup+failed&severity=error&status=resolved&source=cron&key=k."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from app.domain.alert import Severity, Status
from app.domain.text import one_line, shorten
from app.intake.schema import MAX_KEY, MAX_SOURCE

Choice = TypeVar("Choice", Severity, Status)


@dataclass(frozen=True, slots=True)
class Asked:
    """Cleaned to one line each; `subject` is as long as it came."""

    subject: str
    severity: Severity | None
    status: Status
    source: str
    key: str
    warnings: tuple[str, ...]


def asked_in(query: Mapping[str, str], default: Severity | None = Severity.WARNING) -> Asked:
    """Return it, with `default` where it names no severity. A wrong choice costs a warning, not the alert."""
    warnings: list[str] = []
    return Asked(
        subject=one_line(query.get("subject", "")),
        severity=_severity(default, query, warnings),
        status=_choice(Status.FIRING, query, "status", warnings),
        source=_line(query, "source", MAX_SOURCE, warnings),
        key=_line(query, "key", MAX_KEY, warnings),
        warnings=tuple(warnings),
    )


def _severity(default: Severity | None, query: Mapping[str, str], warnings: list[str]) -> Severity | None:
    is_asked = bool(query.get("severity", "").strip())
    return _choice(default or Severity.WARNING, query, "severity", warnings) if is_asked else default


def _choice(default: Choice, query: Mapping[str, str], name: str, warnings: list[str]) -> Choice:
    asked = query.get(name, "").strip().lower()
    if not asked:
        return default
    try:
        return type(default)(asked)
    except ValueError:
        known = ", ".join(type(default))
        warnings.append(f"{name} is none of {known}; {default} was taken")
        return default


def _line(query: Mapping[str, str], name: str, limit: int, warnings: list[str]) -> str:
    line = one_line(query.get(name, ""))
    if len(line) > limit:
        warnings.append(f"{name} was shortened to {limit} characters")
    return shorten(line, limit)
