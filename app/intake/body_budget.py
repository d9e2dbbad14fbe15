"""A bound on the bodies that are in memory at once, over all connections together."""

from datetime import timedelta

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


class Claim:
    """What one body takes of a budget, until `release`; it may hold at most `limit` bytes."""

    __slots__ = ("_budget", "limit", "size_bytes")

    def __init__(self, budget: BodyBudget, size_bytes: int, limit: int) -> None:
        """Raises JournalUnavailable if there is no room."""
        budget.take(size_bytes)
        self._budget = budget
        self.size_bytes = size_bytes
        self.limit = limit

    def move(self, budget: BodyBudget, size_bytes: int) -> None:
        """Take `size_bytes` of `budget` instead. Raises JournalUnavailable, holding nothing, if there is no room."""
        self.release()
        budget.take(size_bytes)
        self._budget = budget
        self.size_bytes = size_bytes

    def release(self) -> None:
        """Take nothing any more."""
        self._budget.give_back(self.size_bytes)
        self.size_bytes = 0
