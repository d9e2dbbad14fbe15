"""Whether alarms can go out another way than by mail."""

import os
from datetime import UTC, datetime

from app.alarms.body import alarm_body
from app.alarms.command import AlarmCommand
from app.alarms.webhook import Webhook
from app.cli.ending import TEMPORARY
from app.cli.findings import FAILED, NOTE, OK, say
from app.domain.alarm import Alarm
from app.domain.alert import Severity
from app.domain.errors import AlarmNotSent
from app.settings.model import Settings

TEST = Alarm(
    cause="test",
    subject="Test alarm of mailalert check",
    text="Alarms can leave this way. Nobody needs to do anything.",
    severity=Severity.INFO,
)


async def check_alarms(settings: Settings, *, with_alarm: bool) -> int:
    """Send a test alarm over url and command if it is asked for; return the exit code."""
    ways = _ways(settings)
    if not ways:
        say(NOTE, "when mail cannot leave nobody is told: set url or command below [alarm]")
        return 0
    if not with_alarm:
        return 0
    return max([await _try(way) for way in ways])


async def _try(way: AlarmCommand | Webhook) -> int:
    try:
        await way.send(TEST)
    except AlarmNotSent as error:
        say(FAILED, f"alarm.{way.name}: {error}")
        return TEMPORARY
    say(OK, f"alarm.{way.name}: it took the test alarm")
    return 0


def _ways(settings: Settings) -> list[AlarmCommand | Webhook]:
    def body(alarm: Alarm) -> bytes:
        return alarm_body(alarm, server_name=settings.server_name, at=datetime.now(UTC))

    ways: list[AlarmCommand | Webhook] = []
    if settings.alarm.url:
        ways.append(Webhook(settings.alarm.url.get_secret_value(), body=body))
    if settings.alarm.command:
        ways.append(AlarmCommand(settings.alarm.command, body=body, environment=os.environ))
    return ways
