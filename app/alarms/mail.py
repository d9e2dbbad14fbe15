"""The alarm as a mail: it goes through the journal and the queue like any other, over a relay that works."""

from collections.abc import Awaitable, Callable, Sequence

from app.domain.alarm import Alarm
from app.domain.alert import Alert
from app.domain.errors import AlarmNotSent, JournalUnavailable
from app.pipeline.notice import SOURCE

Accept = Callable[[Sequence[Alert]], Awaitable[object]]


class AlarmMail:
    """Hands alarms to an ingest whose letterhead is marked as one for alarms, so that their failure raises none."""

    name = "mail"

    def __init__(self, accept: Accept) -> None:
        """`accept` raises JournalUnavailable."""
        self._accept = accept

    async def send(self, alarm: Alarm) -> None:
        """Return once the mail is durable. Raises AlarmNotSent."""
        try:
            await self._accept([mail_about(alarm)])
        except JournalUnavailable as error:
            raise AlarmNotSent(str(error)) from error


def mail_about(alarm: Alarm) -> Alert:
    """Return the alert that makes the mail. Without a key, so that it is always mailed."""
    return Alert(subject=alarm.subject, content=alarm.text, severity=alarm.severity, source=SOURCE)
