"""Admits the bodies of posts: each within its limit, and all that are in memory at once within a budget."""

from collections.abc import Callable, Mapping
from functools import partial

from app.httpkit.limits import BodyTooLarge
from app.intake.body_budget import BodyBudget, Budget, Room
from app.intake.reading import may_hold_attachments
from app.intake.sizes import SizeLimits
from app.intake.unproven import Unproven

LARGE_BODIES_AT_ONCE = 64 * 1024 * 1024  # bytes; four posts of 10 MiB in base64 at once

Fields = Mapping[bytes, bytes]


class Bodies:
    """Large bodies have a budget of their own: they must not keep ordinary alerts out.

    So have those of strangers, whom only the signature of the body can prove.
    """

    def __init__(self, limits: SizeLimits) -> None:
        self._limits = limits
        self._ordinary = BodyBudget()
        self._large = BodyBudget(LARGE_BODIES_AT_ONCE)
        self._unproven = Unproven()

    def admit(self, fields: Fields, *, stranger: str | None = None) -> Room:
        """Return the room of the body that the header fields announce; release it once its alerts are durable.

        The room is taken before a byte is read: all that Content-Length says, or where it is missing what an
        ordinary body may hold. That of a `stranger` (the address of one whom no token proves) is counted as it comes.
        Raises BodyTooLarge, and JournalUnavailable if there is no room.
        """
        ordinary = self._limits.body
        length = fields.get(b"content-length")
        if stranger is not None:
            return self._admit_stranger(stranger, 0 if length is None else int(length))
        if length is None:
            limit = self._limit(fields)
            return Room(self._ordinary, ordinary, limit, grows_in=self._large if limit > ordinary else None)
        size = int(length)
        if size <= ordinary:
            return Room(self._ordinary, size, ordinary)
        limit = self._limit(fields)
        if size > limit:
            raise BodyTooLarge(limit)
        return Room(self._large, size, limit)

    def prove(self, room: Room, size_bytes: int) -> None:
        """Count a stranger's body of this size as anybody's: its signature is right. Raises JournalUnavailable."""
        room.move(self._ordinary, size_bytes)

    def counter(self, room: Room) -> Callable[[int], None] | None:
        """Return what must hear of the body's growth, None if it takes no more than it has announced."""
        return None if room.grows_in is None else partial(_grow, room, room.grows_in)

    def _admit_stranger(self, address: str, announced: int) -> Room:
        ordinary = self._limits.body
        if announced > ordinary:
            raise BodyTooLarge(ordinary)
        share = self._unproven.share_of(address)
        return Room(share, 0, ordinary, grows_in=share)

    def _limit(self, fields: Fields) -> int:
        limits = self._limits
        return limits.with_attachments if may_hold_attachments(fields) else limits.body


def _grow(room: Room, budget: Budget, size_bytes: int) -> None:
    """Count a body as it grows, once it is more than what was taken for it."""
    if size_bytes > room.size_bytes:
        room.move(budget, size_bytes)
