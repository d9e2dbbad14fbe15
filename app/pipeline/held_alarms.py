"""Alarms about the mails of an alert that somebody sees to: held back until the acknowledgement has ended."""

import asyncio
from collections.abc import Callable

from app.domain.alarm import Alarm, RaiseAlarm

LOOK_EVERY_S = 5.0
MAX_HELD = 1000  # alerts; one alarm each, the last, which names all that has failed by then


class HeldAlarms:
    """In memory: what a restart forgets is still in the list of dead letters."""

    def __init__(self, *, is_acknowledged: Callable[[int], bool], raise_alarm: RaiseAlarm) -> None:
        self._is_acknowledged = is_acknowledged
        self._raise_alarm = raise_alarm
        self._held: dict[int, Alarm] = {}

    def raise_about(self, alert_id: int, alarm: Alarm) -> None:
        """Raise the alarm, now or when nobody sees to the alert any more."""
        if not self._is_acknowledged(alert_id):
            self._raise_alarm(alarm)
            return
        self._held.pop(alert_id, None)
        self._held[alert_id] = alarm
        if len(self._held) > MAX_HELD:
            self._held.pop(next(iter(self._held)))

    def release(self) -> None:
        """Raise those about alerts that nobody sees to any more."""
        for alert_id in [number for number in self._held if not self._is_acknowledged(number)]:
            self._raise_alarm(self._held.pop(alert_id))

    async def run(self) -> None:
        """Look until it is cancelled."""
        while True:
            self.release()
            await asyncio.sleep(LOOK_EVERY_S)
