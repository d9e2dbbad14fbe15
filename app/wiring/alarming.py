"""Builds the ways out for alarms, and what watches for reasons to raise one."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from app.alarms.body import alarm_body
from app.alarms.command import AlarmCommand
from app.alarms.ping import Pinger
from app.alarms.webhook import Webhook
from app.delivery.relays import Relays
from app.domain.alarm import Alarm
from app.pipeline.alarm_mail import AlarmMail
from app.pipeline.alarms import AlarmDesk, AlarmSink
from app.pipeline.watch import Watch
from app.wiring.ground import Ground
from app.wiring.taking import TakingHalf

# How long a relay may be out of order before that is told: a restart of Postfix takes two seconds. Wrong settings,
# which no waiting mends, are told at once.
OUTAGE_PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarming:
    """The watch, and the sign of life that is given while all is well."""

    watch: Watch
    pinger: Pinger | None


def alarm_sinks(ground: Ground, taking: TakingHalf) -> list[AlarmSink]:
    """Return every way out for alarms that the settings name."""
    alarm = ground.settings.alarm
    sinks: list[AlarmSink] = []

    def body(raised: Alarm) -> bytes:
        return alarm_body(raised, server_name=ground.settings.server_name, at=ground.clock.now())

    if taking.alarms is not None:
        sinks.append(AlarmMail(taking.alarms.accept))
    if alarm.url is not None:
        sinks.append(Webhook(alarm.url.get_secret_value(), body=body))
    if alarm.command:
        sinks.append(AlarmCommand(alarm.command, body=body, environment=os.environ))
    return sinks


def alarming(ground: Ground, relays: Relays, desk: AlarmDesk, *, healthy: Callable[[], bool]) -> Alarming:
    """Build them; nothing runs yet. `healthy` is asked before each sign of life."""
    journal, ping_url = ground.journal, ground.settings.alarm.ping_url
    watch = Watch(
        journal=journal,
        clock=ground.clock,
        running_seconds=ground.running.seconds,
        relays=relays.vitals,
        patience=OUTAGE_PATIENCE,
        known_at=journal.kept_at,
        raise_alarm=desk.raise_alarm,
    )
    pinger = Pinger(ping_url.get_secret_value(), healthy=healthy) if ping_url else None
    return Alarming(watch=watch, pinger=pinger)
