"""A brake on circles: how often something was done for each person within the hour."""

from collections import OrderedDict
from datetime import timedelta

from app.domain.address import folded
from app.domain.ports import Clock

HOUR = timedelta(hours=1)
MAX_PEOPLE = 1000  # that are remembered, the last ones


class PerHour:
    """Allows so many for each address."""

    def __init__(self, most: int, *, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._times: OrderedDict[str, list[float]] = OrderedDict()  # monotonic seconds

    def allows(self, address: str) -> bool:
        """Tell whether one more is allowed, and count it if so."""
        who, now = folded(address), self._clock.monotonic()
        recent = [at for at in self._times.pop(who, []) if at > now - HOUR.total_seconds()]
        allowed = len(recent) < self._most
        self._times[who] = [*recent, now] if allowed else recent
        if len(self._times) > MAX_PEOPLE:
            self._times.popitem(last=False)
        return allowed
