"""How alerts, letterheads and times stand in the journal. Short keys: every alert pays for them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from app.domain.address import Mailbox
from app.domain.alert import NOTHING, Alert, Link, Severity, Status
from app.domain.answered import Answered
from app.domain.attachment import Attachment
from app.domain.envelope import Letterhead, Templates

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNREADABLE = Alert(subject="(this alert cannot be read any more)")
_MILLISECOND = timedelta(milliseconds=1)


def encode_json(value: Any) -> str:
    """Return `value` as JSON that SQLite can read: NaN and the infinities become null.

    Raises TypeError for a lone surrogate or an integer over 64 bits, which no alert of the domain holds.
    """
    return orjson.dumps(value).decode()


def to_ms(moment: datetime) -> int:
    """Return Unix milliseconds, exact to the millisecond."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> datetime:
    """Return the aware time in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def encode_alert(alert: Alert) -> str:
    """Return the alert as JSON, without the contents of its attachments; what has its default value is left out."""
    body: dict[str, Any] = {"s": alert.subject, "v": alert.severity}
    if alert.content:
        body["c"] = alert.content
    if alert.status is not Status.FIRING:
        body["t"] = alert.status
    if alert.source:
        body["o"] = alert.source
    if alert.labels:
        body["l"] = dict(alert.labels)
    if alert.key:
        body["k"] = alert.key
    if alert.notes:
        body["n"] = alert.notes
    if alert.starts_at or alert.ends_at or alert.links or alert.extra or alert.attachments:
        body |= _rare_fields(alert)
    if alert.to or alert.receivers or alert.also_routed:
        body |= _wishes(alert)
    if alert.answers:
        body["w"] = [alert.answers.message_id, alert.answers.references, alert.answers.alert_id]
    return encode_json(body)


def _rare_fields(alert: Alert) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if alert.starts_at:
        body["b"] = alert.starts_at.isoformat()
    if alert.ends_at:
        body["e"] = alert.ends_at.isoformat()
    if alert.links:
        body["h"] = [[link.url, link.title] for link in alert.links]
    if alert.extra:
        body["x"] = dict(alert.extra)
    if alert.attachments:
        body["a"] = [[a.name, a.content_type, a.size_bytes] for a in alert.attachments]
    return body


def _wishes(alert: Alert) -> dict[str, Any]:
    """Whom the sender asked for."""
    body: dict[str, Any] = {}
    if alert.to:
        body["r"] = [_pair(mailbox) for mailbox in alert.to]
    if alert.receivers:
        body["g"] = alert.receivers
    if alert.also_routed:
        body["u"] = True
    return body


def decode_alert(body: Mapping[str, Any]) -> Alert:
    """Return the alert that `encode_alert` wrote; its attachments have a size and no contents."""
    return Alert(
        subject=body["s"],
        content=body.get("c", ""),
        severity=Severity(body["v"]),
        status=Status(body.get("t", Status.FIRING)),
        source=body.get("o", ""),
        labels=body.get("l", NOTHING),
        key=body.get("k", ""),
        starts_at=_moment(body.get("b")),
        ends_at=_moment(body.get("e")),
        links=tuple(Link(url, title) for url, title in body.get("h", ())),
        extra=body.get("x", NOTHING),
        notes=tuple(body.get("n", ())),
        attachments=tuple(
            Attachment(name=name, content_type=content_type, size_bytes=size_bytes)
            for name, content_type, size_bytes in body.get("a", ())
        ),
        to=tuple(Mailbox(*pair) for pair in body.get("r", ())),
        receivers=tuple(body.get("g", ())),
        also_routed=body.get("u", False),
        answers=_answered(body.get("w")),
    )


def _answered(value: list[Any] | None) -> Answered | None:
    if value is None:
        return None
    message_id, references, alert_id = value
    return Answered(message_id, tuple(references), alert_id)


def read_alert(payload: str) -> Alert:
    """Return the alert of a stored payload; one that cannot be read any more says so, and spoils no list."""
    try:
        return decode_alert(orjson.loads(payload))
    except (ValueError, KeyError, TypeError):
        return UNREADABLE


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def encode_letterhead(letterhead: Letterhead) -> str:
    """Return the letterhead as JSON, the same text for equal letterheads, also for those of schema version 1.

    What has its default value is left out, so that an older version's text stays what it is.
    """
    body: dict[str, Any] = {
        "server_name": letterhead.server_name,
        "sender": _pair(letterhead.sender),
        "recipients": [_pair(mailbox) for mailbox in letterhead.recipients],
        "templates": {"text": letterhead.templates.text, "html": letterhead.templates.html},
    }
    added = {
        "is_alarm": letterhead.is_alarm,
        "cc_count": letterhead.cc_count,
        "bcc_count": letterhead.bcc_count,
        "reply_to": letterhead.reply_to and _pair(letterhead.reply_to),
        "receiver": letterhead.receiver,
        "reply_address": letterhead.reply_address and _pair(letterhead.reply_address),
        "verp": letterhead.verp,
        "takes_answers": letterhead.takes_answers,
    }
    return encode_json(body | {name: value for name, value in added.items() if value})


def _pair(mailbox: Mailbox) -> list[str]:
    return [mailbox.address, mailbox.name]


def decode_letterhead(text: str) -> Letterhead:
    """Return the letterhead that `encode_letterhead` wrote."""
    body = orjson.loads(text)
    return Letterhead(
        server_name=body["server_name"],
        sender=Mailbox(*body["sender"]),
        recipients=tuple(Mailbox(*pair) for pair in body["recipients"]),
        templates=Templates(**body["templates"]),
        is_alarm=body.get("is_alarm", False),
        cc_count=body.get("cc_count", 0),
        bcc_count=body.get("bcc_count", 0),
        reply_to=Mailbox(*body["reply_to"]) if "reply_to" in body else None,
        receiver=body.get("receiver", ""),
        reply_address=Mailbox(*body["reply_address"]) if "reply_address" in body else None,
        verp=body.get("verp", ""),
        takes_answers=body.get("takes_answers", False),
    )
