"""Apprise: what its API takes, and what its json:// and form:// send. It tells neither status nor key: one-shots.

https://github.com/caronc/apprise-api and https://github.com/caronc/apprise/wiki/Notify_Custom_JSON
"""

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.alert import Alert, Severity
from app.intake.attachments import Upload
from app.intake.base64_text import decode_base64
from app.intake.draft import draft
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.formats import ntfy
from app.intake.incoming import Reading
from app.intake.lenient import first_text, objects_of, texts_of
from app.intake.title import read_title

TOOL = "apprise"
SEVERITIES = {
    "info": Severity.INFO,
    "success": Severity.INFO,
    "warning": Severity.WARNING,
    "failure": Severity.ERROR,
}
FIELDS = frozenset({
    "title", "body", "message", "type", "tag", "tags", "format", "urls", "version", "attach", "attachment",
    "attachments",
})  # fmt: skip
ATTACHMENTS = ("attachments", "attachment", "attach")


def _alert(fields: Mapping[str, Any], payload: Payload) -> Alert:
    tags = ", ".join(texts_of(fields.get("tag")) + texts_of(fields.get("tags")))
    return draft(
        subject=first_text(fields, "title") or read_title(payload.headers.get("title", "")),
        content=first_text(fields, "body", "message"),
        severity=SEVERITIES.get(_type(fields), Severity.WARNING),
        source=TOOL,
        links=[(url, "Attachment") for name in ATTACHMENTS for url in texts_of(fields.get(name))],
        extra={"tag": tags} if tags else {},
        files=_files(fields),
    )


def _type(fields: Mapping[str, Any]) -> str:
    return first_text(fields, "type").strip().lower()


def _files(fields: Mapping[str, Any]) -> Iterator[Upload]:
    """Yield the files that stand in the JSON. One that is no base64 comes as it was written."""
    for name in ATTACHMENTS:
        value = fields.get(name)
        for file in objects_of(value) if isinstance(value, list) else objects_of([value]):
            text = first_text(file, "base64")
            if text:
                yield Upload(first_text(file, "filename", "name"), first_text(file, "mimetype"), _decoded(text))


def _decoded(text: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError:
        return text.encode(errors="replace")


def _recognises(payload: Payload) -> bool:
    """Title and message alone are Gotify's."""
    fields = payload.object
    if not fields.keys() <= FIELDS:
        return False
    is_message = "body" in fields or ("message" in fields and _type(fields) in SEVERITIES)
    return is_message and not ntfy.is_addressed(payload)


def _read(payload: Payload) -> Reading:
    fields = payload.object
    if not first_text(fields, "title", "body", "message"):
        raise NotUnderstood("neither `title` nor `body` is there")
    alert = _alert(fields, payload)
    return Reading((alert,))


FORMAT = Format(name=TOOL, tool="Apprise", recognises=_recognises, read=_read)
