"""Admits the bodies of posts: each within its limit, and all that are in memory at once within a budget."""

from collections.abc import Callable, Mapping
from functools import partial

from app.httpkit.limits import BodyTooLarge
from app.intake.body_budget import BodyBudget, Claim
from app.intake.reading import may_hold_attachments
from app.intake.sizes import SizeLimits

LARGE_BODIES_AT_ONCE = 64 * 1024 * 1024  # bytes; four posts of 10 MiB in base64 at once
UNPROVEN_AT_ONCE = 8 * 1024 * 1024  # bytes; a webhook has some KiB

Fields = Mapping[bytes, bytes]


class Bodies:
    """Large bodies have a budget of their own: they must not keep ordinary alerts out.

    So have those of senders whom only the signature of the body can prove: strangers may crowd out each other.
    """

    def __init__(self, limits: SizeLimits) -> None:
        self._limits = limits
        self._ordinary = BodyBudget()
        self._large = BodyBudget(LARGE_BODIES_AT_ONCE)
        self._unproven = BodyBudget(UNPROVEN_AT_ONCE)

    def admit(self, fields: Fields, *, is_proven: bool = True) -> Claim:
        """Return the claim of the body that the header fields announce; release it once its alerts are durable.

        The room is taken before a byte is read: all that Content-Length says, or where it is missing what an
        ordinary body may hold. Raises BodyTooLarge, and JournalUnavailable if there is no room.
        """
        ordinary = self._limits.body
        length = fields.get(b"content-length")
        if not is_proven:
            return self._admit_unproven(ordinary if length is None else int(length))
        if length is None:
            return Claim(self._ordinary, ordinary, self._limit(fields))
        size = int(length)
        if size <= ordinary:
            return Claim(self._ordinary, size, ordinary)
        limit = self._limit(fields)
        if size > limit:
            raise BodyTooLarge(limit)
        return Claim(self._large, size, limit)

    def counter(self, claim: Claim) -> Callable[[int], None] | None:
        """Return what must hear of the body's growth, None if it takes no more than it has announced."""
        return partial(self._grow, claim) if claim.limit > self._limits.body else None

    def _admit_unproven(self, size: int) -> Claim:
        ordinary = self._limits.body
        if size > ordinary:
            raise BodyTooLarge(ordinary)
        return Claim(self._unproven, size, ordinary)

    def _limit(self, fields: Fields) -> int:
        limits = self._limits
        return limits.with_attachments if may_hold_attachments(fields) else limits.body

    def _grow(self, claim: Claim, size_bytes: int) -> None:
        """Count a body without Content-Length as it grows, once it is more than an ordinary one."""
        if size_bytes > claim.size_bytes:
            claim.move(self._large, size_bytes)
