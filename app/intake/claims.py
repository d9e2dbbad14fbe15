"""What makes a request the same as an earlier one: its Idempotency-Key, or the names that its tool gives to events."""

from dataclasses import replace

from app.domain.access import Principal
from app.domain.receipt import Claim, claim_of, request_bytes
from app.intake.file_bodies import NAME_FIELDS
from app.intake.formats import native, ntfy
from app.intake.incoming import IncomingBody, Reading
from app.intake.urlencoded import read_pairs

FIELD = b"idempotency-key"

# What formats read from the header beside the type of the body. Others change on the way, and make no other alert.
BEARING = frozenset(
    name.encode()
    for names in (
        ("content-disposition", "sentry-hook-resource", "ce-id", "ce-source", "ce-type", "ce-subject"),
        NAME_FIELDS,
        *ntfy.NAMES.values(),
    )
    for name in names
)


def claims_on(incoming: IncomingBody, reading: Reading, principal: Principal, *, format_name: str = "") -> list[Claim]:
    """Return a claim for the whole request if it has a key, and one for each event with a name; often none.

    `incoming` is the request as it came, in its content coding; `format_name` is the one that the path names.
    """
    key = incoming.fields.get(FIELD)
    if not key and not reading.event_keys:
        return []
    owner = principal.fingerprint
    events = [
        replace(claim_of(event.name, event.sent, fingerprint=owner), position=position)
        for position, event in enumerate(reading.event_keys)
        if event is not None
    ]
    if key:
        return [claim_of(_unquoted(key), _sent(incoming, format_name), fingerprint=owner), *events]
    # One event is all of its request: if its name comes again for something else, that is refused as with a key.
    return events if reading.is_batch else [replace(claim, position=None) for claim in events]


def _sent(incoming: IncomingBody, format_name: str) -> bytes:
    pairs, _ = read_pairs(incoming.query)
    fields = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in incoming.fields.items()
        if name in BEARING and format_name != native.FORMAT.name  # which reads none
    ]
    return request_bytes(incoming.body, format_name=format_name, query=pairs, fields=fields)


def _unquoted(key: bytes) -> str:
    """A key is a quoted string (RFC 9651 section 3.3.3), and most clients send it bare."""
    return key.strip().removeprefix(b'"').removesuffix(b'"').decode("latin-1")
