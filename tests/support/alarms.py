"""Alarms to raise, and ways out that only take note."""

import asyncio
from typing import Any

from app.domain.alarm import Alarm
from app.domain.errors import AlarmNotSent


def an_alarm(cause: str = "relay: mx1", **of: Any) -> Alarm:
    """Return an alarm."""
    return Alarm(**{"cause": cause, "subject": "A relay is down", "text": "mx1 is down."} | of)


class NotingSink:
    """Takes alarms; fails as often as it is told to, and waits while it is held."""

    def __init__(self, name: str = "mail", *, failures: int = 0) -> None:
        self.name = name
        self.taken: list[Alarm] = []
        self.tries = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self._failures = failures

    async def send(self, alarm: Alarm) -> None:
        """Take one alarm, or refuse it."""
        self.tries += 1
        await self.may_go_on.wait()
        if self.tries <= self._failures:
            raise AlarmNotSent("the server answered 500")
        self.taken.append(alarm)
