"""What no format knows: mailed with what could be found as its subject, and the body as it came below.

As for a text, the query gives `subject`, `severity`, `status`, `source` and `key`, and the Title header a subject.
"""

import re

from app.domain.alert import Alert
from app.domain.text import one_line
from app.httpkit.problems import invalid_alert
from app.intake.asked import asked_in
from app.intake.attachments import Upload, base_name
from app.intake.clues import SUBJECTS, links_in, readable, severity_in, subject_in
from app.intake.draft import draft
from app.intake.format import Format, Payload
from app.intake.formats.text import EMPTY, first_line
from app.intake.incoming import Reading, Rejected
from app.intake.title import read_title

SEARCHED = 8 * 1024  # characters of a broken document in which a subject is looked for
MULTIPART = "multipart/form-data"
MOST_FILE_NAMES = 5  # that are listed; they all stand below the mail

_NAMES = "|".join(SUBJECTS)
# Templates put values in unescaped, so a quote ends one only where JSON could go on. Both are bounded: a body is
# whatever anybody sends.
_IN_BROKEN_JSON = re.compile(
    rf'"(?:{_NAMES})"\s{{0,9}}:\s{{0,9}}"([^\n]{{1,500}}?)"\s{{0,9}}(?:[,}}\]\n]|\Z)', re.IGNORECASE
)
_IN_MARKUP = re.compile(rf"<(?:{_NAMES})\b[^<>]{{0,200}}>([^<]{{1,500}})<", re.IGNORECASE)
_PRODUCT = re.compile(r"[^\s/(]+")  # of a User-Agent (RFC 9110 section 10.1.5), without version and comment


def read(payload: Payload) -> Reading:
    """Return the alert of any body at all. Raises Rejected if there is none, nor a subject."""
    asked = asked_in(payload.query, severity_in(payload.document))
    files = [file for file in payload.files if file.data or file.name]
    # What counts as nothing in JSON (0, [], false) is a body all the same; a multipart without parts is none.
    is_shown = files or payload.document or (payload.document is not None and payload.media_type == MULTIPART)
    text = payload.text or ("" if is_shown else _bytes_as_text(payload))
    subject = asked.subject or read_title(payload.headers.get("title", ""))
    if not (subject or files or payload.document or one_line(text)):
        raise Rejected(invalid_alert(EMPTY))
    alert: Alert = draft(
        subject=subject or _subject(payload, text, files),
        content=_content(payload, text, files),
        severity=asked.severity,
        status=asked.status,
        source=asked.source,
        key=asked.key,
        links=links_in(payload.document),
    )
    return Reading((alert,), asked.warnings, understood=False)


def _bytes_as_text(payload: Payload) -> str:
    return payload.body.decode(errors="backslashreplace")


def _subject(payload: Payload, text: str, files: list[Upload]) -> str:
    found = one_line(subject_in(payload.document)) or _within(text) or _named(files)
    agent = _PRODUCT.match(payload.headers.get("user-agent", ""))
    what = "File" if files and not payload.document else "Alert"
    return found or (f"{what} from {agent[0]}" if agent else f"{what} of an unknown format")


def _named(files: list[Upload]) -> str:
    """Return the names of the files, "" if they have none."""
    names = [name for name in (base_name(file.name) for file in files) if name]
    if len(names) < 2:
        return "".join(names)
    return f"{len(names)} files: {_listed(names)}"


def _within(text: str) -> str:
    """Return the subject of a text: a field of a document that is broken, or is XML, else its first line."""
    head = text[:SEARCHED].lstrip()
    if head[:1] in {"{", "["}:
        found = _IN_BROKEN_JSON.search(head)
    else:
        found = _IN_MARKUP.search(head) if head[:1] == "<" else None
    return (one_line(found[1]) if found else "") or first_line(text)


def _content(payload: Payload, text: str, files: list[Upload]) -> str:
    if payload.is_form:
        text = "\n".join(f"{name}: {value}" for name, value in payload.pairs)
    elif payload.document:
        text = readable(payload.document)
    return "\n\n".join(part for part in (text, _told(files)) if part)


def _told(files: list[Upload]) -> str:
    """Say that there is more than the text."""
    if not files:
        return ""
    names = [f"{base_name(file.name) or file.content_type or 'a file'} ({len(file.data)} bytes)" for file in files]
    return f"Attached as it came: {_listed(names)}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_FILE_NAMES} more" if len(names) > MOST_FILE_NAMES else ""
    return ", ".join(names[:MOST_FILE_NAMES]) + more


FORMAT = Format(name="raw", tool="", recognises=lambda _: False, read=read)
