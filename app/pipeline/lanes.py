"""Who waits for a mail: the workers of each relay in a lane of their own."""

import asyncio
from datetime import timedelta

from app.domain.envelope import QueuedMail

Waiter = asyncio.Future[QueuedMail | None]


class Lanes:
    """Serves the lanes in turn. Within one the last to come is the first: the connection used last is used again."""

    def __init__(self) -> None:
        self._lanes: dict[str, list[Waiter]] = {}  # the one that was served last stands last

    @property
    def somebody_waits(self) -> bool:
        """Whether a mail would be taken at once."""
        return any(not waiter.done() for waiters in self._lanes.values() for waiter in waiters)

    async def wait(self, lane: str, within: timedelta) -> QueuedMail | None:
        """Return the mail that this waiter is given; None if there was none `within` this time, or none will come."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._lanes.setdefault(lane, []).append(waiter)
        done, _ = await asyncio.wait([waiter], timeout=within.total_seconds())
        if done:
            return waiter.result()
        self._lanes[lane].remove(waiter)
        return None

    def serve(self, mail: QueuedMail) -> None:
        """Give `mail` to whoever's turn it is; somebody must wait."""
        for lane, waiters in list(self._lanes.items()):
            while waiters:
                waiter = waiters.pop()
                if not waiter.done():
                    self._lanes[lane] = self._lanes.pop(lane)
                    return waiter.set_result(mail)
        raise AssertionError("nobody waits")

    def dismiss(self) -> None:
        """Send everybody away without a mail."""
        for waiters in self._lanes.values():
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
            waiters.clear()
