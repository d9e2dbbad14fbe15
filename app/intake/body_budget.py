"""A bound on the bodies that are in memory at once, over all connections together."""

from datetime import timedelta
from typing import Protocol

from app.domain.errors import JournalUnavailable

# A thousand connections with a body of 1 MiB each would need a gigabyte; with this bound, far below 200 MB.
BODIES_AT_ONCE = 32 * 1024 * 1024


class BodyBudget:
    """Counts what the bodies under way may take. A body larger than all of the budget may still go alone."""

    def __init__(self, limit_bytes: int = BODIES_AT_ONCE) -> None:
        self._limit = limit_bytes
        self._used = 0

    def take(self, size_bytes: int) -> None:
        """Count `size_bytes` until `give_back`. Raises JournalUnavailable, counting nothing, if there is no room."""
        if self._used and self._used + size_bytes > self._limit:
            raise JournalUnavailable("too many large bodies are coming in at once", retry_after=timedelta(seconds=1))
        self._used += size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Count `size_bytes` no longer."""
        self._used -= size_bytes


class Budget(Protocol):
    """What rooms are taken of."""

    def take(self, size_bytes: int) -> None:
        """Count so many bytes. Raises JournalUnavailable, counting nothing, if there is no room."""

    def give_back(self, size_bytes: int) -> None:
        """Count so many bytes no longer."""


class Room:
    """What one body takes of a budget, until `release`; it may hold at most `limit` bytes.

    `grows_in` is the budget that a body takes from that grows beyond what was taken; None if none can.
    """

    __slots__ = ("_budget", "grows_in", "limit", "size_bytes")

    def __init__(self, budget: Budget, size_bytes: int, limit: int, *, grows_in: Budget | None = None) -> None:
        """Raises JournalUnavailable if there is no room."""
        budget.take(size_bytes)
        self._budget = budget
        self.grows_in = grows_in
        self.size_bytes = size_bytes
        self.limit = limit

    def move(self, budget: Budget, size_bytes: int) -> None:
        """Take `size_bytes` of `budget` instead. Raises JournalUnavailable, holding nothing, if there is no room."""
        self.release()
        budget.take(size_bytes)
        self._budget = budget
        self.size_bytes = size_bytes

    def release(self) -> None:
        """Take nothing any more."""
        self._budget.give_back(self.size_bytes)
        self.size_bytes = 0
