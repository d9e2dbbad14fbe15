"""The heartbeat, a dead man's switch: something that is to say again and again that it is alive, and what it said."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.alert import Alert, Severity, Status
from app.domain.heartbeat_schedule import Schedule
from app.domain.matcher import Matcher, matchable

NAME_PATTERN = "[A-Za-z0-9._-]{1,64}"  # it stands in a URL, a key and a subject
MIN_PERIOD = timedelta(seconds=1)  # what the clock's looks can tell apart
MAX_PERIOD = timedelta(days=366)  # a yearly job, a leap year too
DEFAULT_GRACE = timedelta(hours=1)  # longer than most jobs run, and than a reboot takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What is expected, and who is told. `is_ad_hoc`: made by a ping, and not in the settings.

    `grace` is how late a ping may be, and how long a run may take that was announced by its start. `receiver` is a
    receiver's name, "" for those to whom the routes lead. An alert that fulfils all `matchers` is a ping.
    """

    name: str
    schedule: Schedule
    grace: timedelta = DEFAULT_GRACE
    severity: Severity = Severity.ERROR
    receiver: str = ""
    matchers: tuple[Matcher, ...] = ()
    is_ad_hoc: bool = False

    def is_fed_by(self, alert: Alert) -> bool:
        """Tell whether the alert is the sign of life, which fires as long as all is well, or the end of it.

        Its status is for the caller to look at; the matchers see it as it is while it fires.
        """
        if not self.matchers:
            return False
        labels = matchable(alert if alert.status is Status.FIRING else replace(alert, status=Status.FIRING))
        return all(matcher.matches(labels) for matcher in self.matchers)


class PulseState(StrEnum):
    """How a heartbeat is. In the last two something is wrong, and people were told."""

    NEW = "new"  # no ping has come yet
    UP = "up"
    OVERDUE = "overdue"
    FAILED = "failed"


DOWN = frozenset({PulseState.OVERDUE, PulseState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What is known of a heartbeat. It survives restarts.

    `since` is when the daemon first knew of it. `last_ping_at` is that of the last one that was no start;
    `started_at` is set while a run is under way, `ran_for` how long the last one took. While it is down,
    `down_since` says since when, and `failures` how many were reported.
    `deaf_for` is how much of the time since a ping was expected the daemon could not have heard it.
    """

    since: datetime
    state: PulseState = PulseState.NEW
    last_ping_at: datetime | None = None
    started_at: datetime | None = None
    ran_for: timedelta | None = None
    exit_code: int | None = None
    down_since: datetime | None = None
    failures: int = 0
    deaf_for: timedelta = timedelta()
    output_bytes: int = 0

    @property
    def is_down(self) -> bool:
        """Whether something is wrong."""
        return self.state in DOWN


@dataclass(frozen=True, slots=True)
class HeartbeatRecord:
    """A heartbeat as the journal keeps it. `output` is what its last ping brought along; None leaves it as it is."""

    heartbeat: Heartbeat
    pulse: Pulse
    output: bytes | None = None


def due_at(heartbeat: Heartbeat, pulse: Pulse) -> datetime:
    """Return when the next ping is expected."""
    return heartbeat.schedule.next_after(pulse.last_ping_at or pulse.since)


def overdue_at(heartbeat: Heartbeat, pulse: Pulse) -> datetime | None:
    """Return when its time is up, None for one that is down already.

    The grace counts from when a ping was due, or from the start of a run that has not ended, whichever was earlier.
    Time in which no ping could be heard does not count.
    """
    if pulse.is_down:
        return None
    return expected_at(heartbeat, pulse) + heartbeat.grace + pulse.deaf_for


def expected_at(heartbeat: Heartbeat, pulse: Pulse) -> datetime:
    """Return when its grace begins."""
    due = due_at(heartbeat, pulse)
    return due if pulse.started_at is None else min(due, pulse.started_at)


def deaf_between(heartbeat: Heartbeat, pulse: Pulse, left: datetime, returned: datetime) -> timedelta:
    """Return how much of an absence of the daemon fell into the time in which a ping was expected."""
    deadline = overdue_at(heartbeat, pulse)
    if deadline is None or deadline <= left:
        return timedelta()
    return max(timedelta(), returned - max(left, expected_at(heartbeat, pulse)))


def is_name(text: str) -> bool:
    """Tell whether a heartbeat can be called so."""
    return re.fullmatch(NAME_PATTERN, text) is not None
