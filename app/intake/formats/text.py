"""Plain text: `curl -d 'backup failed' …` or `--data-binary @log`. Never refused for its form.

The query gives `subject`, `severity`, `status`, `source` and `key`; nothing else in it is read.
"""

from app.domain.alert import Alert, Severity
from app.domain.charset import decode
from app.domain.text import cut_middle, one_line, plain, shorten
from app.httpkit.problems import invalid_alert
from app.intake import notices
from app.intake.asked import asked_in
from app.intake.format import Format, Payload
from app.intake.incoming import Reading, Rejected
from app.intake.schema import MAX_CONTENT, MAX_SUBJECT
from app.intake.title import read_title

EMPTY = "The body is empty. Send the text of the alert, or at least a subject: /alerts?subject=Backup+failed"


def read(payload: Payload) -> Reading:
    """Return the alert that a text makes, all of it in the content. Raises Rejected if there is no text.

    The subject is that of the query, else the Title header, else the first line that is not empty. Of a body that is
    no text it is read all the same.
    """
    asked = asked_in(payload.query)
    notes: list[str] = []
    warnings: list[str] = []
    given = payload.text or decode(payload.body).text
    text = plain(given)
    if notices.was_repaired(given, text):
        warnings.append(notices.repaired_field("content"))
    title = read_title(payload.headers.get("title", ""))
    alert = Alert(
        subject=_subject(asked.subject or title or first_line(text), notes),
        content=_content(text, notes),
        severity=asked.severity or Severity.WARNING,
        status=asked.status,
        source=asked.source,
        key=asked.key,
        notes=tuple(notes),
    )
    return Reading((alert,), (*warnings, *asked.warnings))


def _subject(subject: str, notes: list[str]) -> str:
    if not subject:
        raise Rejected(invalid_alert(EMPTY))
    if len(subject) > MAX_SUBJECT:
        notes.append(f"The subject was shortened: it had {len(subject)} characters.")
    return shorten(subject, MAX_SUBJECT)


def first_line(text: str) -> str:
    """Return the first line that says something, cleaned; "" if none does."""
    return next((line for line in map(one_line, text.splitlines()) if line), "")


def _content(text: str, notes: list[str]) -> str:
    content = cut_middle(text, MAX_CONTENT)
    if content is not text:
        notes.append(f"The content was cut in the middle: it had more than {MAX_CONTENT} bytes.")
    return content


def _recognises(payload: Payload) -> bool:
    """A body that claims to be something else, and is not, is no text that somebody wrote."""
    claims = payload.media_type.endswith(("json", "xml")) or payload.media_type.startswith("multipart/")
    return payload.document is None and not claims and bool(payload.text or not payload.body)


FORMAT = Format(name="text", tool="", recognises=_recognises, read=read)
