"""One heartbeat under watch: what is known of it in memory, and who may change that."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.heartbeat import Heartbeat, HeartbeatRecord, Pulse, overdue_at
from app.domain.heartbeat_turns import Absence, after_absence


@dataclass(slots=True)
class Watched:
    """Whoever changes it holds the `lock` until the journal has the change; then it is changed here too.

    `is_kept` is whether the journal knows it as it is here, `is_gone` whether it was removed while others waited.
    """

    heartbeat: Heartbeat
    pulse: Pulse
    is_kept: bool = True
    is_gone: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _deadline: datetime | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Find out when its time is up: to ask cron at each look would cost too much."""
        self._deadline = overdue_at(self.heartbeat, self.pulse)

    def is_up_for_a_look(self, now: datetime) -> bool:
        """Tell whether time or the journal wants something of it."""
        return not self.is_kept or (self._deadline is not None and self._deadline <= now)

    def now_is(self, record: HeartbeatRecord) -> None:
        """Take what the journal has just kept."""
        self.heartbeat, self.pulse, self.is_kept = record.heartbeat, record.pulse, True
        self._deadline = overdue_at(self.heartbeat, self.pulse)

    def note_absence(self, absence: Absence) -> None:
        """Count an absence; the journal hears of it with the next change."""
        pulse = after_absence(self.heartbeat, self.pulse, absence)
        if pulse != self.pulse:
            self.pulse, self.is_kept = pulse, False
            self._deadline = overdue_at(self.heartbeat, self.pulse)
