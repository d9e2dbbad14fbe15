"""The sender: the queue's feeder and the workers of every relay, and how they stop."""

import asyncio
from datetime import timedelta

from app.delivery.tools import Tools
from app.delivery.worker import Worker

DOT_GRACE = timedelta(seconds=5)  # after the deadline of a drain, for mails that were handed over in full


class Sender:
    """Sends what the queue hands out, over the connections that each relay allows."""

    def __init__(self, tools: Tools) -> None:
        """Start nothing before `run`."""
        self._tools = tools
        self._tasks: dict[asyncio.Task[None], Worker] = {}

    async def run(self) -> None:
        """Send until the queue is finished, that is until a drain has ended or `cut_off` was called."""
        queue, relays = self._tools.queue, self._tools.relays
        async with asyncio.TaskGroup() as group:
            feeding = group.create_task(queue.run())
            feeding.add_done_callback(lambda _: self._end())
            self._tasks = {
                group.create_task(worker.run()): worker
                for link in relays.links
                for worker in (Worker(self._tools, link, number=n) for n in range(link.policy.connections))
            }
            await asyncio.wait(self._tasks)
            queue.abandon()  # every relay is given up

    def _end(self) -> None:
        """Let the workers go home: the queue is finished, and nobody needs to know whether a relay is back."""
        self._tools.relays.stop()
        for task, worker in self._tasks.items():
            if worker.probing:
                task.cancel()

    def drain(self) -> None:
        """Send everything that is queued, tries of waiting retries included, then finish."""
        self._tools.relays.drain()
        self._tools.queue.drain()

    async def cut_off(self) -> None:
        """End at once: no new mail is begun; mails past their final dot get a little longer for their reply."""
        self._tools.relays.stop()
        self._tools.queue.abandon()
        waiting = []
        for task, worker in self._tasks.items():
            if worker.past_final_dot:
                waiting.append(task)
            else:
                task.cancel()
        if waiting:
            await asyncio.wait(waiting, timeout=DOT_GRACE.total_seconds())
        for task in waiting:
            task.cancel()  # the courier records its mail as ambiguous
