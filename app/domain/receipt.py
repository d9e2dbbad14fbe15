"""The receipt: what the sender of alerts was told, kept for a day so that a repetition gets the same answer."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from app.domain.errors import MailAlertError

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The ids of the accepted alerts in order, and what the sender should know.

    `is_batch` says that several could have been sent, be it one: the answer has another shape then.
    """

    ids: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    is_batch: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """What makes a submission the same as an earlier one: 32 bytes of its key, and of what was sent under it.

    `position` is the one alert of the submission that it stands for, counted from 0; None is all of them. Both kinds
    may stand beside each other.
    """

    key: bytes
    digest: bytes = field(repr=False)
    position: int | None = None

    def ids_of(self, ids: Sequence[int]) -> tuple[int, ...]:
        """Return those of the submission's `ids` that it stands for."""
        return tuple(ids) if self.position is None else (ids[self.position],)


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt under its claim."""

    claim: Claim
    receipt: Receipt
    made_at: datetime


class KeyReused(MailAlertError):
    """The idempotency key was used before, for something else."""


def claim_of(key: str, sent: bytes, *, fingerprint: bytes) -> Claim:
    """Return the claim of `key`, which belongs to the token with this fingerprint, on what was sent.

    For a whole request that is `request_bytes`.
    """
    return Claim(key=key_hash(key, fingerprint), digest=sha256(sent).digest())


def request_bytes(
    body: bytes,
    *,
    format_name: str,
    query: Iterable[tuple[str, str]] = (),
    fields: Iterable[tuple[str, str]] = (),
) -> bytes:
    """Return what stands for a request: its body, and all besides from which its alerts follow.

    `format_name` is "" where the path names none, `query` has no credentials, and `fields` are those of the header
    that the alert is read from. A spool file makes the same of its alert: see app/domain/spooled.py.
    """
    return json.dumps([format_name, list(query), sorted(fields)]).encode() + sha256(body).digest()


def key_hash(key: str, fingerprint: bytes) -> bytes:
    """Return 32 bytes that stand for the key among those of this token."""
    return sha256(fingerprint + b"\0" + key.encode()).digest()
