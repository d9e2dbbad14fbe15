"""Builds the ways out for alarms, and what watches for reasons to raise one."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.alarms.body import alarm_body
from app.alarms.command import AlarmCommand
from app.alarms.mail import AlarmMail
from app.alarms.ping import Pinger
from app.alarms.webhook import Webhook
from app.delivery.direct import DirectSender
from app.delivery.direct_alarm import DirectAlarm
from app.delivery.relays import Relays
from app.domain.alarm import Alarm
from app.domain.ports import Clock
from app.domain.vitals import Health, Vitals, health_of
from app.mail.compose import Composer
from app.pipeline.alarm_desk import AlarmDesk, AlarmSink
from app.pipeline.watch import Watch
from app.settings.model import Settings
from app.wiring.ground import Ground
from app.wiring.taking import TakingHalf, letterhead_of_alarms

# How long a relay may be out of order before that is told: a restart of Postfix takes two seconds. Wrong settings,
# which no waiting mends, are told at once.
OUTAGE_PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarming:
    """The watch, and the sign of life that is given while all is well."""

    watch: Watch
    pinger: Pinger | None


def alarm_sinks(ground: Ground, taking: TakingHalf, composer: Composer, direct: DirectSender) -> list[AlarmSink]:
    """Return every way out for alarms that the settings name."""
    return [*_by_mail(ground, taking, composer, direct), *sinks_without_mail(ground.settings, ground.clock)]


def _by_mail(ground: Ground, taking: TakingHalf, composer: Composer, direct: DirectSender) -> list[AlarmSink]:
    letterhead = letterhead_of_alarms(ground.settings)
    if taking.alarm_ingest is None or letterhead is None:
        return []
    past_queue = DirectAlarm(
        sender=direct, composer=composer, letterhead=letterhead, ids=ground.ids, clock=ground.clock
    )
    return [AlarmMail(taking.alarm_ingest.accept, direct=past_queue.send)]


def sinks_without_mail(settings: Settings, clock: Clock) -> list[AlarmSink]:
    """Return the ways out that work when no mail can leave."""
    alarm = settings.alarm
    sinks: list[AlarmSink] = []

    def body(raised: Alarm) -> bytes:
        return alarm_body(raised, server_name=settings.server_name, at=clock.now())

    if alarm.url is not None:
        sinks.append(Webhook(alarm.url.get_secret_value(), body=body))
    if alarm.command:
        sinks.append(AlarmCommand(alarm.command, body=body, environment=os.environ))
    return sinks


def alarming(
    ground: Ground,
    relays: Relays,
    desk: AlarmDesk,
    *,
    vitals: Callable[[], Vitals],
    troubles: Callable[[], Sequence[Alarm]],
) -> Alarming:
    """Build them; nothing runs yet. The vitals are looked at before each sign of life.

    `troubles` are those of the reading side.
    """
    journal, ping_url = ground.journal, ground.settings.alarm.ping_url
    watch = Watch(
        journal=journal,
        clock=ground.clock,
        running_seconds=ground.running.seconds,
        relays=relays.vitals,
        patience=OUTAGE_PATIENCE,
        known_at=journal.kept_at,
        desk=desk,
        others=troubles,
    )

    def healthy() -> bool:
        return health_of(vitals(), degraded_after=ground.settings.degraded_after) is Health.OK

    pinger = Pinger(ping_url.get_secret_value(), healthy=healthy) if ping_url else None
    return Alarming(watch=watch, pinger=pinger)
