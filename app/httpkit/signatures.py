"""Signatures of bodies (HMAC-SHA256, RFC 2104), for tools that sign what they post instead of sending a token."""

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.httpkit.credentials import Fields

SENTRY = b"sentry-hook-signature"  # hex, of the body
GRAFANA = b"x-grafana-alerting-signature"  # hex, of the body, or of the time, a colon and the body
GRAFANA_TIME = b"x-grafana-alerting-timestamp"  # seconds since 1970; what Grafana's own tests call the field
MAX_AGE = timedelta(minutes=5)  # of a signature with a time: clocks differ, and whoever listens must not repeat it
MAX_DIGITS = 12  # of a time in seconds, enough for thirty thousand years

_BEGINS_WITH_TIME = re.compile(rb"\d{1,%d}:" % MAX_DIGITS)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request says its body is signed with. `prefix` is signed before the body."""

    digest: bytes = field(repr=False)  # in hex
    prefix: bytes = b""

    def is_of(self, body: bytes, *, secret: bytes) -> bool:
        """Tell in constant time whether `secret` made it for `body`.

        A body that begins with a time is none without a prefix: whoever has overheard a request of Grafana could put
        the time in front of the body, leave the field out, and have a signature that never grows old.
        """
        if not self.prefix and _BEGINS_WITH_TIME.match(body):
            return False
        mac = hmac.new(secret, self.prefix, "sha256")
        mac.update(body)
        return hmac.compare_digest(mac.hexdigest().encode(), self.digest)


def is_signed(fields: Fields) -> bool:
    """Tell whether the header fields hold a signature."""
    return SENTRY in fields or GRAFANA in fields


def signature_in(fields: Fields, at: datetime) -> Signature | None:
    """Return the signature of a request that comes `at` this time; None if there is none, or an old one."""
    if SENTRY in fields:
        return Signature(_hex(fields[SENTRY]))
    if GRAFANA not in fields:
        return None
    signed_at = fields.get(GRAFANA_TIME)
    if signed_at is None:
        return Signature(_hex(fields[GRAFANA]))
    return Signature(_hex(fields[GRAFANA]), prefix=signed_at + b":") if _is_fresh(signed_at, at) else None


def _hex(value: bytes) -> bytes:
    return value.strip().lower()


def _is_fresh(signed_at: bytes, at: datetime) -> bool:
    if not signed_at.isdigit() or len(signed_at) > MAX_DIGITS:
        return False
    return abs(at.timestamp() - int(signed_at)) <= MAX_AGE.total_seconds()
