"""A bound on the messages that are in memory at once, over all sessions together."""

SMALL = 262_144  # bytes; what a mail without large files holds
SHARE_OF_SMALL = 1 / 3  # of the budget, kept for small messages: large ones must not keep ordinary mail out


class MessageBudget:
    """Counts what the messages under way hold. One that is larger than all of the budget may still go alone."""

    def __init__(self, limit_bytes: int) -> None:
        small = int(limit_bytes * SHARE_OF_SMALL)
        self._limits = {True: small, False: limit_bytes - small}
        self._used = {True: 0, False: 0}

    def move(self, held: int, wanted: int) -> bool:
        """Count `wanted` bytes instead of `held` ones; False, counting none of them, if there is no room."""
        self._used[held <= SMALL] -= held
        share = wanted <= SMALL
        if self._used[share] and self._used[share] + wanted > self._limits[share]:
            return False
        self._used[share] += wanted
        return True


class Holding:
    """What one message takes of the budget, until `release`."""

    __slots__ = ("_budget", "_bytes", "refused")

    def __init__(self, budget: MessageBudget) -> None:
        self._budget = budget
        self._bytes = 0
        self.refused = False

    def grow_to(self, size_bytes: int) -> bool:
        """Take `size_bytes` in all; False, taking nothing any more, if there is no room for them."""
        if self.refused or not self._budget.move(self._bytes, size_bytes):
            self.refused = True
            size_bytes = 0
        self._bytes = size_bytes
        return not self.refused

    def release(self) -> None:
        """Take nothing any more."""
        self._budget.move(self._bytes, 0)
        self._bytes = 0
