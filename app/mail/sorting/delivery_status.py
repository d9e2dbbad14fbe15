"""Reports on the delivery of a mail by the standard: RFC 3464, and RFC 6533 for addresses that are not ASCII."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from app.domain.bounce import BouncedRecipient, BounceKind
from app.mail.reading.head import HeaderRoom, read_head
from app.mail.reading.headers import Headers
from app.mail.reading.message import Message
from app.mail.sorting.status_fields import address_in, enhanced_in, host_in, status_of, untyped, words_in

_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
MAX_BYTES = 512 * 1024  # of all reports of a mail; a thousand recipients with a sentence each
MAX_GROUPS = 1000  # one for each recipient
MAX_FIELDS = 20_000  # of all groups; a dozen tell all of one
_MAX_FIELD_BYTES = 16 * 1024
_EMPTY_LINES = re.compile(rb"\n(?:[ \t\r]*\n)+")
_WORD = re.compile(r"[a-z]+")
# RFC 3464 section 2.3.3. OpenSMTPD says "error".
_ACTIONS = {"failed": BounceKind.FAILED, "error": BounceKind.FAILED, "delayed": BounceKind.DELAYED}
_ARRIVED = frozenset({"delivered", "relayed", "expanded"})
_CLASSES = {"5": BounceKind.FAILED, "4": BounceKind.DELAYED}  # RFC 3463 section 3.1


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """What a report says: `envelope_id` as it names the mail (the ENVID of RFC 3461), "" if it does not.

    `recipients` are those who did not get it. `has_good_news` says that it tells of others, who did.
    """

    envelope_id: str
    recipients: tuple[BouncedRecipient, ...]
    has_good_news: bool


def read_delivery_status(message: Message) -> DeliveryStatus | None:
    """Return what the mail reports, None if it is no report by the standard. Its type as a whole is not asked for.

    Gateways drop the report-type or wrap the report in another multipart; its parts they leave alone.
    """
    reports = [part.data for part in message.parts if part.content_type in _TYPES]
    if not reports:
        return None
    room = HeaderRoom(MAX_FIELDS, MAX_BYTES, _MAX_FIELD_BYTES)
    groups = list(islice(chain.from_iterable(_groups(report, room) for report in reports), MAX_GROUPS))
    found = [_recipient(group) for group in groups]
    return DeliveryStatus(
        envelope_id=next(filter(None, (group.raw("Original-Envelope-Id") for group in groups)), ""),
        recipients=tuple(recipient for recipient in found if recipient is not None),
        has_good_news=any(_action(group) in _ARRIVED for group in groups),
    )


def _groups(report: bytes, room: HeaderRoom) -> Iterator[Headers]:
    """Yield groups of fields: of the mail, then of each recipient (section 2.1). Some servers make one of the two."""
    if room.is_used_up or room.fields <= 0:
        return
    for block in _EMPTY_LINES.split(report[:MAX_BYTES].lstrip(), MAX_GROUPS):
        yield Headers(read_head(block, 0, room=room, is_boundary=lambda _: False).fields)


def _recipient(group: Headers) -> BouncedRecipient | None:
    """Return the recipient that the group is of, None if it is of none, or of one who has the mail."""
    final, original = group.raw("Final-Recipient"), group.raw("Original-Recipient")
    kind = _kind(group)
    if kind is None or not (final or original or group.count("Action")):
        return None
    reply = words_in(untyped(group.text("Diagnostic-Code")))
    return BouncedRecipient(
        kind=kind,
        address=address_in(final),
        original=address_in(original),
        status=status_of(group.raw("Status"), reply),
        reply=reply,
        remote=host_in(group.raw("Remote-MTA")),
    )


def _kind(group: Headers) -> BounceKind | None:
    action = _action(group)
    if action in _ARRIVED:
        return None
    return _ACTIONS.get(action) or _CLASSES.get(enhanced_in(group.raw("Status"))[:1])


def _action(group: Headers) -> str:
    """Return the first word, in small letters: comments may follow."""
    found = _WORD.match(group.raw("Action").lower())
    return found[0] if found else ""
