"""How much one body may hold: its fields within one limit, the attachments of each alert within another."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import to_json

from app.domain.alert import Alert
from app.httpkit.problems import content_too_large
from app.intake.format import Payload
from app.intake.incoming import Rejected

# Of a JSON text each value but the first costs one of these, and base64 holds none of them.
_STRUCTURE = (b",", b"[", b"{")
# JSON writers escape `/` or `+`, each a 64th of base64, and two of them end each line of 76.
_ESCAPE, _MOST_ESCAPES = b"\\", 1 / 16


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """The bounds in bytes. Without room for attachments none are taken."""

    body: int  # without attachments
    attachments: int  # of one alert, decoded

    @property
    def with_attachments(self) -> int:
        """What a whole body may hold: base64 takes 4/3 (RFC 4648 section 4), its line ends and escapes the rest."""
        return self.body + self.attachments * 3 // 2


def check_structure(body: bytes, limits: SizeLimits) -> None:
    """Raise Rejected if a JSON text holds more values than fit beside attachments, before they cost memory.

    `[],[],…` takes 60 bytes of memory for each 3 of its own.
    """
    values = sum(body.count(mark) for mark in _STRUCTURE)
    if max(values, body.count(_ESCAPE) - int(len(body) * _MOST_ESCAPES)) > limits.body:
        raise _fields_too_large(limits)


def check_size(payload: Payload, alerts: Sequence[Alert], limits: SizeLimits) -> None:
    """Raise Rejected if a body is too large without what has become attachments."""
    if len(payload.body) <= limits.body:
        return
    if payload.document is None or payload.files:
        size = len(payload.body) - sum(map(_attached, alerts))
    else:
        size = _size_without_attachments(payload.document)
    if size > limits.body:
        raise _fields_too_large(limits)


def _size_without_attachments(document: object) -> int:
    alerts = document if isinstance(document, list) else [document]
    fields = [
        {name: value for name, value in alert.items() if name != "attachments"} if isinstance(alert, dict) else alert
        for alert in alerts
    ]
    return len(to_json(fields))


def check_attachments(alerts: Sequence[Alert], limits: SizeLimits) -> None:
    """Raise Rejected if an alert has more attachments than it may."""
    for alert in alerts:
        if alert.attachments and (not limits.attachments or _attached(alert) > limits.attachments):
            raise Rejected(
                content_too_large(
                    limits.attachments, what="The attachments of one alert", setting="http.attachments_limit"
                )
            )


def _attached(alert: Alert) -> int:
    return sum(attachment.size_bytes for attachment in alert.attachments)


def _fields_too_large(limits: SizeLimits) -> Rejected:
    return Rejected(content_too_large(limits.body, what="A request body without its attachments"))
