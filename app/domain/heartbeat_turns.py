"""What pings and the passing of time make of a heartbeat: pure, and the one place that decides when people are told."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from app.domain.heartbeat import Heartbeat, Pulse, PulseState, deaf_between, expected_at, overdue_at
from app.domain.ping import Ping, PingKind

CLOCK_TOLERANCE = timedelta(minutes=5)  # NTP slews less; a time further ahead was noted by a clock that was wrong


class Turn(Enum):
    """What people are told of."""

    OVERDUE = auto()
    FAILED = auto()
    RECOVERED = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """The new pulse, and what there is to tell, if anything."""

    pulse: Pulse
    turn: Turn | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """A time in which no ping could be heard: the daemon did not run, or the machine slept."""

    left_at: datetime
    returned_at: datetime


def on_ping(pulse: Pulse, ping: Ping, now: datetime) -> Step:
    """Return what a ping makes of it. A failure is told once, until there is a success."""
    if ping.kind is PingKind.START:
        return Step(replace(pulse, started_at=now))
    heard = replace(
        pulse,
        last_ping_at=now,
        started_at=None,
        ran_for=None if pulse.started_at is None else max(timedelta(), now - pulse.started_at),
        exit_code=ping.exit_code,
        deaf_for=timedelta(),
    )
    return _on_failure(heard, now) if ping.kind is PingKind.FAILURE else _on_success(heard)


def _on_failure(heard: Pulse, now: datetime) -> Step:
    failed = replace(heard, state=PulseState.FAILED, down_since=heard.down_since or now, failures=heard.failures + 1)
    return Step(failed, None if heard.state is PulseState.FAILED else Turn.FAILED)


def _on_success(heard: Pulse) -> Step:
    up = replace(heard, state=PulseState.UP, down_since=None, failures=0)
    return Step(up, Turn.RECOVERED if heard.is_down else None)


def after_absence(heartbeat: Heartbeat, pulse: Pulse, absence: Absence) -> Pulse:
    """Return the pulse once an absence has ended: what of it fell into the time of a grace does not count."""
    missed = deaf_between(heartbeat, pulse, absence.left_at, absence.returned_at)
    return replace(pulse, deaf_for=pulse.deaf_for + missed)


def on_look(heartbeat: Heartbeat, pulse: Pulse, now: datetime) -> Step:
    """Return what the passing of time has made of it: overdue or not."""
    pulse = _deaf_no_longer_than_it_could_be(heartbeat, _by_this_clock(pulse, now), now)
    deadline = overdue_at(heartbeat, pulse)
    if deadline is None or now < deadline:
        return Step(pulse)
    return Step(replace(pulse, state=PulseState.OVERDUE, down_since=now), Turn.OVERDUE)


def _by_this_clock(pulse: Pulse, now: datetime) -> Pulse:
    """Return the pulse without times that are still to come: a clock that was a year ahead must not silence it."""
    latest = now + CLOCK_TOLERANCE
    times = (pulse.since, pulse.last_ping_at, pulse.started_at, pulse.down_since)
    if all(time is None or time <= latest for time in times):
        return pulse
    since, last_ping_at, started_at, down_since = (None if time is None else min(time, now) for time in times)
    return replace(pulse, since=since or now, last_ping_at=last_ping_at, started_at=started_at, down_since=down_since)


def _deaf_no_longer_than_it_could_be(heartbeat: Heartbeat, pulse: Pulse, now: datetime) -> Pulse:
    """Return the pulse with no more deafness than there was time: a clock that jumped ahead, and back, counted more.

    A jump ahead cannot be told from sleep, and a ping that is late by a wrong clock only must not be told. But once
    the clock is set right, the jump must not put off the alert for as long as it was.
    """
    if not pulse.deaf_for:
        return pulse
    most = max(timedelta(), now - expected_at(heartbeat, pulse))
    return pulse if pulse.deaf_for <= most else replace(pulse, deaf_for=most)
