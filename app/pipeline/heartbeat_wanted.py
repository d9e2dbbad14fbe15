"""What a ping asks of its heartbeat, and why it may not get it."""

from dataclasses import dataclass, replace
from datetime import timedelta

from app.domain.errors import MailAlertError
from app.domain.heartbeat import DEFAULT_GRACE, Heartbeat
from app.domain.heartbeat_schedule import Schedule


class UnknownHeartbeat(MailAlertError):
    """No heartbeat has this name."""


class TooManyHeartbeats(MailAlertError):
    """There are as many as pings may make."""


class HeartbeatInSettings(MailAlertError):
    """It cannot be removed: it stands in the settings."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """When pings are due, and how late they may be. None leaves it as it is."""

    schedule: Schedule | None = None
    grace: timedelta | None = None

    def made(self, name: str) -> Heartbeat:
        """Return a new heartbeat. Raises UnknownHeartbeat where nothing says when it is due."""
        if self.schedule is None:
            raise UnknownHeartbeat(name)
        grace = DEFAULT_GRACE if self.grace is None else self.grace
        return Heartbeat(name=name, schedule=self.schedule, grace=grace, is_ad_hoc=True)

    def applied_to(self, heartbeat: Heartbeat) -> Heartbeat:
        """Return the heartbeat as it is wanted; what stands in the settings no ping changes."""
        if not heartbeat.is_ad_hoc:
            return heartbeat
        return replace(
            heartbeat,
            schedule=self.schedule or heartbeat.schedule,
            grace=heartbeat.grace if self.grace is None else self.grace,
        )


AS_IT_IS = Wanted()
