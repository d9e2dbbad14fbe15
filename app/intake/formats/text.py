"""Plain text: `curl -d 'backup failed' …` or `--data-binary @log`. Never refused for its form.

The query gives `subject`, `severity`, `status`, `source` and `key`; nothing else in it is read.
"""

from collections.abc import Mapping
from typing import TypeVar

from app.domain.alert import Alert, Severity, Status
from app.domain.text import cut_middle, one_line, plain, shorten
from app.httpkit.problems import invalid_alert
from app.intake import notices
from app.intake.charset import decode
from app.intake.incoming import IncomingBody, Reading, Rejected
from app.intake.schema import MAX_CONTENT, MAX_KEY, MAX_SOURCE, MAX_SUBJECT
from app.intake.title import read_title
from app.intake.urlencoded import read_pairs

Choice = TypeVar("Choice", Severity, Status)

EMPTY = "The body is empty. Send the text of the alert, or at least a subject: /alerts?subject=Backup+failed"


def read(incoming: IncomingBody, charset: str = "") -> Reading:
    """Return the alert that a text makes, all of it in the content. Raises Rejected if there is no text.

    The subject is that of the query, else the Title header, else the first line that is not empty.
    """
    decoded = decode(incoming.body, charset)
    pairs, query_warnings = read_pairs(incoming.query)
    query = dict(pairs)
    notes: list[str] = []
    warnings = [*decoded.warnings, *query_warnings]
    text = plain(decoded.text)
    if notices.was_repaired(decoded.text, text):
        warnings.append(notices.repaired_field("content"))
    alert = Alert(
        subject=_subject(query, incoming.title, text, notes),
        content=_content(text, notes),
        severity=_choice(Severity.WARNING, query, "severity", warnings),
        status=_choice(Status.FIRING, query, "status", warnings),
        source=_line(query, "source", MAX_SOURCE, warnings),
        key=_line(query, "key", MAX_KEY, warnings),
        notes=tuple(notes),
    )
    return Reading((alert,), (*warnings, *notes))


def _subject(query: Mapping[str, str], title: bytes, text: str, notes: list[str]) -> str:
    subject = one_line(query.get("subject", "")) or read_title(title) or _first_line(text)
    if not subject:
        raise Rejected(invalid_alert(EMPTY))
    if len(subject) > MAX_SUBJECT:
        notes.append(f"The subject was shortened: it had {len(subject)} characters.")
    return shorten(subject, MAX_SUBJECT)


def _first_line(text: str) -> str:
    return next((line for line in map(one_line, text.splitlines()) if line), "")


def _content(text: str, notes: list[str]) -> str:
    content = cut_middle(text, MAX_CONTENT)
    if content is not text:
        notes.append(f"The content was cut in the middle: it had more than {MAX_CONTENT} bytes.")
    return content


def _choice(default: Choice, query: Mapping[str, str], name: str, warnings: list[str]) -> Choice:
    """Return what the query chose; a wrong choice costs a warning, not the alert."""
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
