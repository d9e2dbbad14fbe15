"""The system's clock. Everything that needs the time is handed one."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Wall time in UTC, and a monotonic count of seconds for durations."""

    def now(self) -> datetime:
        """Return the time of day, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start; never steps."""
        return time.monotonic()
