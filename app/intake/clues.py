"""What can be found in a document of unknown shape: by the names that most tools give to things."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from app.domain.alert import Severity
from app.intake.lenient import first_text, objects_of
from app.intake.severities import known_severity

# The first that holds text counts: what names the trouble before what tells of it.
SUBJECTS = (
    "subject", "title", "summary", "alertname", "alert_name", "event_name", "name", "event", "headline",
    "message", "msg", "text", "reason", "error", "description",
)  # fmt: skip
SEVERITIES = ("severity", "level", "priority", "urgency", "status", "state")
LINKS = ("url", "link", "web_url", "html_url", "href", "permalink", "dashboard", "runbook_url")
LEVELS = 3  # the document itself and two below; deeper names seldom speak of the whole
MOST_OBJECTS = 100  # of one level, and fields of one object: a list of thousands says no more than its first entries

MAX_INDENTED = 32 * 1024  # characters; what is longer nobody reads in a mail


def subject_in(document: object) -> str:
    """Return what may serve as a subject, "" if nothing does. What stands further out comes first."""
    return _found(document, SUBJECTS)


def severity_in(document: object) -> Severity | None:
    """Return the severity that a field names, None if none does."""
    words = (first_text(fields, name) for fields in _objects(document) for name in SEVERITIES)
    return next(filter(None, map(known_severity, words)), None)


def links_in(document: object) -> list[tuple[str, str]]:
    """Return the URLs that the outermost object names, each with an empty title."""
    if not isinstance(document, dict):
        return []
    return [(url, "") for url in (first_text(document, name) for name in LINKS) if url]


def readable(document: object) -> str:
    """Return a JSON document as people read it; a long one on one line.

    To indent what nests deep takes hundreds of times its size.
    """
    compact = json.dumps(document, ensure_ascii=False)
    return compact if len(compact) > MAX_INDENTED else json.dumps(document, ensure_ascii=False, indent=2)


def _found(document: object, names: tuple[str, ...]) -> str:
    return next((text for text in (first_text(fields, *names) for fields in _objects(document)) if text), "")


def _objects(document: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of the outer levels, level by level; a list counts as what it holds."""
    level = [document]
    for _ in range(LEVELS):
        objects = list(islice(_opened(level), MOST_OBJECTS))
        yield from objects
        level = [child for fields in objects for child in islice(fields.values(), MOST_OBJECTS)]


def _opened(values: list[Any]) -> Iterator[Mapping[str, Any]]:
    for value in values:
        yield from objects_of(value) if isinstance(value, list) else objects_of([value])
