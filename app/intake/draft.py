"""From what a tool says to an alert: everything is cleaned and made to fit, and nothing is refused.

What cannot be taken as it is stays readable: it is cut, or moved to the extra fields, and a note says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from app.domain.alert import NOTHING, Alert, Link, Severity, Status
from app.domain.attachment import Attachment
from app.domain.text import cut_middle, one_line, plain, shorten
from app.intake.attachments import MAX_ATTACHMENTS, Upload, attach
from app.intake.extra import keep
from app.intake.lenient import text_of
from app.intake.schema import (
    MAX_CONTENT,
    MAX_KEY,
    MAX_LABEL_NAME,
    MAX_LABEL_VALUE,
    MAX_LABELS,
    MAX_LINKS,
    MAX_SOURCE,
    MAX_SUBJECT,
    MAX_TITLE,
    clean_url,
)

NO_SUBJECT = "Alert without a subject"


def draft(  # noqa: PLR0913 - one for each field of an alert, all by name
    *,
    subject: str,
    content: str = "",
    severity: Severity | None = None,
    status: Status = Status.FIRING,
    source: str = "",
    labels: Mapping[str, Any] = NOTHING,
    key: str = "",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    links: Iterable[tuple[str, str]] = (),
    extra: Mapping[str, Any] = NOTHING,
    files: Iterable[Upload] = (),
    notes: Iterable[str] = (),
) -> Alert:
    """Return the alert. `links` are pairs of URL and title; those that no mail should offer are dropped.

    Without a subject the first line of the content is it, and without a severity a warning is assumed. Values of
    labels may be anything; those that are no text, number or truth value go to the extra fields.
    """
    told = list(notes)
    content = _content(content, told)
    kept_labels, moved = _labels(labels)
    return Alert(
        subject=_subject(subject, content, told),
        content=content,
        severity=severity or Severity.WARNING,
        severity_is_assumed=severity is None,
        status=status,
        source=shorten(one_line(source), MAX_SOURCE),
        labels=kept_labels or NOTHING,
        key=_key(key),
        starts_at=starts_at,
        ends_at=ends_at,
        links=tuple(_links(links)),
        extra=keep({**moved, **extra}) or NOTHING,
        attachments=_attachments(files, told),
        notes=tuple(told),
    )


def with_files(alert: Alert, files: Iterable[Upload]) -> Alert:
    """Return the alert with more files, behind those that it has; what is too many is left out, and a note says so."""
    own = [Upload(file.name, file.content_type, file.data) for file in alert.attachments]
    notes = list(alert.notes)
    return replace(alert, attachments=_attachments([*own, *files], notes), notes=tuple(notes))


def _subject(given: str, content: str, notes: list[str]) -> str:
    lines = map(one_line, [given, *content.splitlines()])
    subject = next((line for line in lines if line), NO_SUBJECT)
    if len(subject) > MAX_SUBJECT:
        notes.append(f"The subject was shortened: it had {len(subject)} characters.")
    return shorten(subject, MAX_SUBJECT)


def _content(given: str, notes: list[str]) -> str:
    text = plain(given)
    content = cut_middle(text, MAX_CONTENT)
    if content is not text:
        notes.append(f"The content was cut in the middle: it had more than {MAX_CONTENT} bytes.")
    return content


def _key(given: str) -> str:
    """A key is cut at its end: what firing and resolved share stays the same."""
    return shorten(one_line(given), MAX_KEY)


def _labels(given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the labels that are some, and the rest by the name `labels.NAME`."""
    labels: dict[str, str] = {}
    moved: dict[str, Any] = {}
    for name, value in given.items():
        clean, text = one_line(name), one_line(text_of(value))
        fits = 1 <= len(clean) <= MAX_LABEL_NAME and len(text) <= MAX_LABEL_VALUE and len(labels) < MAX_LABELS
        if fits and not isinstance(value, dict | list):
            labels[clean] = text
        else:
            moved[f"labels.{name}"] = value
    return labels, moved


def _links(given: Iterable[tuple[str, str]]) -> list[Link]:
    links: dict[str, Link] = {}
    for address, title in given:
        try:
            url = clean_url(address)
        except ValueError:
            continue
        links.setdefault(url, Link(url, shorten(one_line(title), MAX_TITLE)))
    return list(islice(links.values(), MAX_LINKS))


def _attachments(files: Iterable[Upload], notes: list[str]) -> tuple[Attachment, ...]:
    uploads = list(files)
    if len(uploads) > MAX_ATTACHMENTS:
        notes.append(f"Of {len(uploads)} files the first {MAX_ATTACHMENTS} are attached.")
    return attach(uploads[:MAX_ATTACHMENTS])
