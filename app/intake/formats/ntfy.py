"""ntfy's messages: any body with header fields or query parameters, or JSON with a topic. They are one-shots.

https://docs.ntfy.sh/publish/ names the fields; each has short names, and goes in any case, with or without `X-`.
"""

from collections.abc import Mapping
from dataclasses import replace

from app.domain.address import Mailbox, parse_mailboxes
from app.domain.alert import Alert, Severity
from app.domain.charset import decode, parse_content_type
from app.domain.errors import AddressError
from app.intake.attachments import Upload
from app.intake.clues import readable, severity_in
from app.intake.draft import draft, with_files
from app.intake.file_bodies import NAME_FIELDS, file_of
from app.intake.format import Format, NotUnderstood, Payload
from app.intake.formats import form
from app.intake.incoming import Reading
from app.intake.lenient import first_text, objects_of, text_of, texts_of
from app.intake.title import read_title

TOOL = "ntfy"
NAMES = {
    "title": ("x-title", "title", "ti", "t"),
    "message": ("x-message", "message", "m"),
    "priority": ("x-priority", "priority", "prio", "p"),
    "tags": ("x-tags", "tags", "tag", "ta"),
    "click": ("x-click", "click"),
    "attach": ("x-attach", "attach", "a"),
    "filename": NAME_FIELDS,
    "markdown": ("x-markdown", "markdown", "md"),
    "email": ("x-email", "x-e-mail", "email", "e-mail", "mail", "e"),
    "delay": ("x-delay", "delay", "x-at", "at", "x-in", "in"),
    "actions": ("x-actions", "actions", "action"),
    "icon": ("x-icon", "icon"),
}
# Others send these header fields as well: a Title goes with a plain text, a Priority with HTTP (RFC 9218).
ALSO_OF_OTHERS = frozenset({"title", "priority"})
OURS = frozenset({"subject", "severity", "status", "source", "key"})  # of the query: the text format reads it then
JSON_FIELDS = frozenset({*NAMES, "topic", "call", "cache", "firebase", "sequence_id", "poll_id"})
PRIORITIES = {
    "1": Severity.INFO,
    "min": Severity.INFO,
    "2": Severity.INFO,
    "low": Severity.INFO,
    "3": Severity.WARNING,
    "default": Severity.WARNING,
    "4": Severity.ERROR,
    "high": Severity.ERROR,
    "5": Severity.CRITICAL,
    "max": Severity.CRITICAL,
    "urgent": Severity.CRITICAL,
}
EMPTY = "triggered"  # what ntfy itself says for a message without a text
BESIDE_JSON = frozenset({"title", "priority", "prio", "tags"})  # of the query: any webhook may have `?a=1`

_HEADER_NAMES = frozenset(name for names in NAMES.values() for name in names) - ALSO_OF_OTHERS
_QUERY_NAMES = frozenset(name for names in NAMES.values() for name in names)

Fields = Mapping[str, object]


def _of_request(payload: Payload) -> Fields:
    """Return the fields by their full names; header fields outweigh the query."""
    fields: dict[str, object] = {}
    query = {name.lower(): value for name, value in payload.query.items()}
    for field, names in NAMES.items():
        in_header = read_title(first_text(payload.headers, *names))
        fields[field] = in_header.replace("\\n", "\n") if field == "message" else in_header
        fields[field] = fields[field] or first_text(query, *names)
    tags = text_of(fields["tags"])
    return {**fields, "tags": tags.split(",")} if tags else fields


def _alert(fields: Fields, text: str = "", file: Upload | None = None, default: Severity | None = None) -> Alert:
    """Return the alert; `default` is its severity without a priority. A message in the header stands above the text."""
    message = "\n\n".join(part for part in (text_of(fields.get("message")), text) if part)
    title = text_of(fields.get("title"))
    received = f"You received a file: {file.name}".rstrip(": ") if file else ""
    recipients, not_understood = _recipients(text_of(fields.get("email")))
    extra = {
        "tags": ", ".join(tag.strip().replace("_", " ") for tag in texts_of(fields.get("tags"))),
        "topic": text_of(fields.get("topic")),
        "delay": text_of(fields.get("delay")),
        "email": not_understood,
    }
    alert = draft(
        subject=title,
        content=message or received or ("" if title else EMPTY),
        severity=PRIORITIES.get(text_of(fields.get("priority")).strip().lower(), default),
        source=TOOL,
        links=[
            (text_of(fields.get("click")), ""),
            (text_of(fields.get("attach")), "Attachment"),
            *_actions(fields.get("actions")),
        ],
        extra={name: value for name, value in extra.items() if value},
    )
    return replace(alert, to=recipients) if recipients else alert


def _recipients(text: str) -> tuple[tuple[Mailbox, ...], str]:
    """Return whom the sender also wants to have it, and what of that is no address."""
    try:
        return (parse_mailboxes(text), "") if text else ((), "")
    except AddressError:
        return (), text


def _actions(value: object) -> list[tuple[str, str]]:
    """Return the buttons that open a page: as JSON has them, or `view, LABEL, URL; …` of a header field."""
    if isinstance(value, str):
        buttons = [[part.strip() for part in action.split(",")] for action in value.split(";")]
        return [(button[2], button[1]) for button in buttons if len(button) > 2 and button[0] == "view"]
    return [(first_text(button, "url"), first_text(button, "label")) for button in objects_of(value)]


def _file(payload: Payload, name: str) -> Upload | None:
    """Return the body where it is a file: one with a name, or one that is no text."""
    return file_of(payload) if payload.body and (name or payload.files) else None


def _text(payload: Payload) -> str:
    """Return the body as a text, whatever else it may look like."""
    if payload.document is not None and not payload.is_form:
        return readable(payload.document)
    _, charset = parse_content_type(payload.headers.get("content-type", ""))
    return payload.text or decode(payload.body, charset).text


def _is_json(payload: Payload) -> bool:
    fields = payload.object
    return isinstance(fields.get("topic"), str) and fields.keys() <= JSON_FIELDS and not payload.is_form


def _is_multipart(payload: Payload) -> bool:
    return payload.media_type.startswith("multipart/")


def is_addressed(payload: Payload) -> bool:
    """Tell whether a body that others may know too has header fields of ntfy, and so is the text of a message."""
    return _has_header(payload) and OURS.isdisjoint(payload.query) and not _is_multipart(payload)


def _has_header(payload: Payload) -> bool:
    headers = payload.headers
    is_ours = headers.get("priority", "").strip().lower() in PRIORITIES
    return is_ours or any(name in headers for name in _HEADER_NAMES)


def _has_query(payload: Payload) -> bool:
    names = _QUERY_NAMES if payload.document is None else BESIDE_JSON
    return any(name.lower() in names for name in payload.query)


def _recognises(payload: Payload) -> bool:
    if _is_multipart(payload):
        return False
    if _is_json(payload):
        return True
    if not OURS.isdisjoint(payload.query):
        return False
    if payload.is_form:
        return _has_header(payload) and form.NATIVE_FIELDS.isdisjoint(payload.object)
    return _has_header(payload) or _has_query(payload)


def _read(payload: Payload) -> Reading:
    if _is_json(payload):
        alert = _alert(payload.object)
        return Reading((alert,))
    fields = _of_request(payload)
    is_document = payload.document is not None and not payload.is_form
    if _is_multipart(payload) or (is_document and not any(fields.values())):
        raise NotUnderstood("the body is neither a message nor JSON with a `topic`")
    file = _file(payload, text_of(fields["filename"]))
    alert = _alert(fields, "" if file else _text(payload), file, severity_in(payload.document))
    return Reading((with_files(alert, [file]) if file and not payload.files else alert,))


FORMAT = Format(name=TOOL, tool="ntfy", recognises=_recognises, read=_read, yields=True)
