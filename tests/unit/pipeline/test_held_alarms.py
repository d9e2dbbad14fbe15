"""Alarms that wait for the end of an acknowledgement."""

from app.domain.alarm import Alarm
from app.pipeline.held_alarms import MAX_HELD, HeldAlarms
from tests.support.alarms import an_alarm


def test_alarms_about_an_alert_that_somebody_sees_to_wait() -> None:
    """Until the acknowledgement has ended; then the last one is told, once."""
    acknowledged, raised = {1}, list[Alarm]()
    held = HeldAlarms(is_acknowledged=acknowledged.__contains__, raise_alarm=raised.append)
    first, last, other = an_alarm(cause="first"), an_alarm(cause="last"), an_alarm(cause="other")
    held.raise_about(1, first)
    held.raise_about(1, last)
    held.raise_about(2, other)
    held.release()
    assert raised == [other]
    acknowledged.clear()
    held.release()
    held.release()
    assert raised == [other, last]


def test_memory_is_bounded() -> None:
    """A relay that refuses everything while everything is acknowledged."""
    held = HeldAlarms(is_acknowledged=lambda _: True, raise_alarm=lambda _: None)
    for number in range(2 * MAX_HELD):
        held.raise_about(number, an_alarm())
    assert len(held._held) == MAX_HELD
