"""What makes a request the same as an earlier one: its Idempotency-Key, or the names that its tool gives to events."""

from collections.abc import Mapping, Sequence

from app.domain.access import Principal
from app.domain.receipt import Claim, claim_of
from app.intake.incoming import EventKey

FIELD = b"idempotency-key"


def claims_on(
    fields: Mapping[bytes, bytes], body: bytes, event_keys: Sequence[EventKey], principal: Principal
) -> list[Claim]:
    """Return one claim for the whole request if it has a key, else one for each event with a name; often none."""
    if FIELD not in fields and not event_keys:
        return []
    if key := fields.get(FIELD):
        return [claim_of(_unquoted(key), body, fingerprint=principal.fingerprint)]
    claims = [claim_of(event.name, event.sent, fingerprint=principal.fingerprint) for event in event_keys]
    if len(claims) == 1:
        return claims
    return [Claim(claim.key, claim.digest, positions=(position,)) for position, claim in enumerate(claims)]


def _unquoted(key: bytes) -> str:
    """A key is a quoted string (RFC 9651 section 3.3.3), and most clients send it bare."""
    return key.strip().removeprefix(b'"').removesuffix(b'"').decode("latin-1")
