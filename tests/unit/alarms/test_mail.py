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


@pytest.mark.parametrize("is_taken", [True, False], ids=["taken", "not taken"])
async def test_an_alarm_about_a_relay_goes_over_another_one(is_taken: bool) -> None:
    """Past the queue, which would choose the very relay; through it only if no other one takes the mail."""
    tried, taken = [], list[Alert]()

    async def accept(alerts: Sequence[Alert]) -> None:
        taken.extend(alerts)

    async def direct(alert: Alert, not_over: str) -> bool:
        tried.append((alert.subject, not_over))
        return is_taken

    await AlarmMail(accept, direct=direct).send(an_alarm(not_over="mx1"))
    assert tried == [("A relay is down", "mx1")]
    assert [alert.subject for alert in taken] == ([] if is_taken else ["A relay is down"])


async def test_any_other_alarm_goes_through_the_queue() -> None:
    """So does each where there is no second way."""
    taken: list[Alert] = []

    async def accept(alerts: Sequence[Alert]) -> None:
        taken.extend(alerts)

    async def direct(_: Alert, __: str) -> bool:
        raise AssertionError("it may go over any relay")

    await AlarmMail(accept, direct=direct).send(an_alarm())
    await AlarmMail(accept).send(an_alarm(not_over="mx1"))
    assert len(taken) == 2


async def test_a_journal_that_takes_nothing_is_told() -> None:
    """Then the desk tries again."""

    async def accept(_: Sequence[Alert]) -> None:
        raise JournalUnavailable("disk full")

    with pytest.raises(AlarmNotSent, match="disk full"):
        await AlarmMail(accept).send(an_alarm())
