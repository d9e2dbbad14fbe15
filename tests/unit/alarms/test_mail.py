"""An alarm as a mail."""

from collections.abc import Sequence

import pytest

from app.alarms.mail import AlarmMail
from app.domain.alert import Alert, Severity
from app.domain.errors import AlarmNotSent, JournalUnavailable
from tests.support.alarms import an_alarm


async def test_an_alarm_becomes_an_alert() -> None:
    """With the words and the severity of the alarm, and without an identity, so that it is always mailed."""
    taken: list[Alert] = []

    async def accept(alerts: Sequence[Alert]) -> None:
        taken.extend(alerts)

    await AlarmMail(accept).send(an_alarm(severity=Severity.ERROR))
    (alert,) = taken
    assert (alert.subject, alert.content, alert.severity) == ("A relay is down", "mx1 is down.", Severity.ERROR)
    assert (alert.key, dict(alert.labels)) == ("", {})


async def test_a_journal_that_takes_nothing_is_told() -> None:
    """Then the desk tries again."""

    async def accept(_: Sequence[Alert]) -> None:
        raise JournalUnavailable("disk full")

    with pytest.raises(AlarmNotSent, match="disk full"):
        await AlarmMail(accept).send(an_alarm())
