"""The alarm as a mail: it goes through the journal and the queue like any other, over a relay that works.

One about a relay that only seems to work goes over another one, past the queue, which would choose that very relay.
"""

from collections.abc import Awaitable, Callable, Sequence

from app.domain.alarm import Alarm
from app.domain.alert import Alert
from app.domain.errors import AlarmNotSent, JournalUnavailable
from app.pipeline.notice import SOURCE

Accept = Callable[[Sequence[Alert]], Awaitable[object]]
Direct = Callable[[Alert, str], Awaitable[bool]]  # not over this relay; whether another one has taken it


class AlarmMail:
    """Hands alarms to an ingest whose letterhead is marked as one for alarms, so that their failure raises none."""

    name = "mail"

    def __init__(self, accept: Accept, *, direct: Direct | None = None) -> None:
        """`accept` raises JournalUnavailable. Without `direct` every alarm takes its chance in the queue."""
        self._accept = accept
        self._direct = direct

    async def send(self, alarm: Alarm) -> None:
        """Return once the mail is durable, or another relay has taken it. Raises AlarmNotSent."""
        mail = mail_about(alarm)
        if alarm.not_over and self._direct is not None and await self._direct(mail, alarm.not_over):
            return
        try:
            await self._accept([mail])
        except JournalUnavailable as error:
            raise AlarmNotSent(str(error)) from error


def mail_about(alarm: Alarm) -> Alert:
    """Return the alert that makes the mail. Without a key, so that it is always mailed."""
    return Alert(subject=alarm.subject, content=alarm.text, severity=alarm.severity, source=SOURCE)
