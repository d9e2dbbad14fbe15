"""Whether alarms can go out another way than by mail."""

from app.cli.ending import TEMPORARY
from app.cli.findings import FAILED, NOTE, OK, say
from app.clock import SystemClock
from app.domain.alarm import Alarm
from app.domain.alert import Severity
from app.domain.errors import AlarmNotSent
from app.pipeline.alarm_desk import AlarmSink
from app.settings.model import Settings
from app.wiring.alarming import sinks_without_mail

TEST = Alarm(
    cause="test",
    subject="Test alarm of mailalert check",
    text="Alarms can leave this way. Nobody needs to do anything.",
    severity=Severity.INFO,
)


async def check_alarms(settings: Settings, *, with_alarm: bool) -> int:
    """Send a test alarm over url and command if it is asked for; return the exit code."""
    sinks = sinks_without_mail(settings, SystemClock())
    if not sinks:
        say(NOTE, "when mail cannot leave nobody is told: set url or command below [alarm]")
        return 0
    if not with_alarm:
        return 0
    return max([await _try(sink) for sink in sinks])


async def _try(sink: AlarmSink) -> int:
    try:
        await sink.send(TEST)
    except AlarmNotSent as error:
        say(FAILED, f"alarm.{sink.name}: {error}")
        return TEMPORARY
    say(OK, f"alarm.{sink.name}: it took the test alarm")
    return 0
