"""The probes over one relay: those under way, the last that came, and why others did not leave."""

from dataclasses import dataclass, field

MAX_UNDER_WAY = 100  # those beyond are hours old, and one of them being missing is told already


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a probe was seen, and when its relay had taken it, both in monotonic seconds."""

    at: float
    sent_at: float

    @property
    def round_trip_s(self) -> float:
        """For how long it was under way."""
        return max(0.0, self.at - self.sent_at)


@dataclass(slots=True)
class ProbeLine:
    """Times are monotonic seconds. `fault` is why the last probe was not taken, or came back; "" if it was taken."""

    relay: str
    came: Arrival | None = None
    fault: str = ""
    failing_since: float = 0.0
    has_come_back: bool = False
    _under_way: dict[int, float] = field(default_factory=dict)  # by number: since when

    @property
    def oldest(self) -> float | None:
        """Since when the oldest probe has been under way."""
        return min(self._under_way.values(), default=None)

    def has_one_since(self, moment: float) -> bool:
        """Tell whether a probe is under way that was sent after that."""
        return any(at > moment for at in self._under_way.values())

    def begin(self, number: int, now: float) -> None:
        """Note that a probe is about to be sent. Of too many the oldest stays: it tells since when they are missing."""
        while len(self._under_way) >= MAX_UNDER_WAY:
            self._under_way.pop(list(self._under_way)[1])
        self._under_way[number] = now

    def taken(self, number: int, now: float) -> None:
        """Note that the relay has taken it; it may have arrived before that was known."""
        self.fault, self.has_come_back = "", False
        if number in self._under_way:
            self._under_way[number] = now

    def failed(self, number: int, fault: str, now: float, *, has_come_back: bool = False) -> bool:
        """Note that it was not taken, or came back; False for one that is not under way."""
        if self._under_way.pop(number, None) is None:
            return False
        self.has_come_back = has_come_back
        if not self.fault:
            self.failing_since = now
        self.fault = fault
        return True

    def arrived(self, number: int, now: float) -> float | None:
        """Return its round trip in seconds, None for one that is not under way.

        The relay has shown that it delivers: what it had taken before is lost, which is not told any more.
        """
        sent_at = self._under_way.pop(number, None)
        if sent_at is None:
            return None
        self.came = Arrival(now, sent_at)
        self._under_way = {other: at for other, at in self._under_way.items() if at >= sent_at}
        return self.came.round_trip_s
