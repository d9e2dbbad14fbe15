"""Mails that the server does not give out: asked for less and less often, and behind all others."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import timedelta

from app.domain.ports import Clock

# After the first time, the second … A store that is ill for an hour must not make its mails look lost.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 60, 360, 1440))
TOLD_AT = 4  # times, after more than an hour: then it is the mail, or somebody must look anyway


@dataclass(frozen=True, slots=True)
class _Loss:
    """How often a mail was asked for in vain, and before when (monotonic seconds) it is not asked for again."""

    count: int
    until: float


class Losses:
    """Counts in memory: a start of the daemon asks for each anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._losses: dict[str, _Loss] = {}

    def note(self, uid: str) -> bool:
        """Count one more; return whether it is time to tell of the mail, which is once."""
        count = self._losses[uid].count + 1 if uid in self._losses else 1
        pause = PAUSES[min(count, len(PAUSES)) - 1]
        self._losses[uid] = _Loss(count, self._clock.monotonic() + pause.total_seconds())
        return count == TOLD_AT

    def includes(self, uid: str) -> bool:
        """Tell whether it was asked for in vain before."""
        return uid in self._losses

    def rests(self, uid: str) -> bool:
        """Tell whether it is not to be asked for now."""
        return uid in self._losses and self._clock.monotonic() < self._losses[uid].until

    def keep_only(self, uids: Container[str]) -> None:
        """Forget all others: the server has them no longer."""
        self._losses = {uid: loss for uid, loss in self._losses.items() if uid in uids}
