"""A bound on the bodies of strangers, whom only the signature of the body can prove: for all, and for each address."""

from dataclasses import dataclass, field
from datetime import timedelta

from app.domain.errors import JournalUnavailable
from app.httpkit.failures import network_of
from app.intake.body_budget import BodyBudget

UNPROVEN_AT_ONCE = 8 * 1024 * 1024  # bytes; a webhook has some KiB
UNPROVEN_OF_ONE = 2 * 1024 * 1024  # bytes; four addresses are needed to keep all others out


class Unproven:
    """What strangers' bodies take, by what has come and not by what they announce: who sends nothing takes nothing."""

    def __init__(self, limit_bytes: int = UNPROVEN_AT_ONCE, limit_of_one: int = UNPROVEN_OF_ONE) -> None:
        self._all = BodyBudget(limit_bytes)
        self._limit_of_one = limit_of_one
        self._used: dict[str, int] = {}

    def share_of(self, address: str) -> "Share":
        """Return what this address may take; of IPv6 all of its network share one."""
        return Share(self, network_of(address))

    def take(self, address: str, size_bytes: int) -> None:
        """Count so many bytes. Raises JournalUnavailable, counting nothing, if there is no room."""
        used = self._used.get(address, 0)
        if used and used + size_bytes > self._limit_of_one:
            raise JournalUnavailable(
                "too many signed bodies are coming in at once from this address", retry_after=timedelta(seconds=1)
            )
        self._all.take(size_bytes)
        self._count(address, used + size_bytes)

    def give_back(self, address: str, size_bytes: int) -> None:
        """Count so many bytes no longer."""
        self._all.give_back(size_bytes)
        self._count(address, self._used.get(address, 0) - size_bytes)

    def _count(self, address: str, size_bytes: int) -> None:
        if size_bytes:
            self._used[address] = size_bytes
        else:
            self._used.pop(address, None)


@dataclass(frozen=True, slots=True)
class Share:
    """The budget of one address."""

    unproven: Unproven = field(repr=False)
    address: str

    def take(self, size_bytes: int) -> None:
        """As BodyBudget does."""
        self.unproven.take(self.address, size_bytes)

    def give_back(self, size_bytes: int) -> None:
        """As BodyBudget does."""
        self.unproven.give_back(self.address, size_bytes)
