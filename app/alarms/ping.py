"""The sign of life: a call every minute while all is well, so that an outside watcher notices silence."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from app.alarms.http_client import call
from app.domain.errors import AlarmNotSent

log = structlog.get_logger()

EVERY = timedelta(minutes=1)


class Pinger:
    """Calls one URL, which is a secret, by GET. What it cannot reach is logged once, and once when it can again."""

    def __init__(self, url: str, *, healthy: Callable[[], bool]) -> None:
        """`healthy` is asked before each call."""
        self._url = url
        self._healthy = healthy
        self._fault = ""

    async def run(self) -> None:
        """Call until it is cancelled, the first time at once."""
        while True:
            try:
                if self._healthy():
                    await self._ping()
            except Exception:  # the top of the loop: the next minute tries again
                log.exception("ping_failed")
            await asyncio.sleep(EVERY.total_seconds())

    async def _ping(self) -> None:
        try:
            await call("GET", self._url)
        except AlarmNotSent as fault:
            self._note(str(fault))
        else:
            self._note("")

    def _note(self, fault: str) -> None:
        if fault and not self._fault:
            log.warning("ping_failed", reason=fault)
        elif self._fault and not fault:
            log.info("ping_works")
        self._fault = fault
