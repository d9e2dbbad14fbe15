"""The sender: the queue's feeder and a pool of workers, and how they stop."""

import asyncio
from datetime import timedelta

from app.delivery.worker import Tools, Worker

DOT_GRACE = timedelta(seconds=5)  # after the deadline of a drain, for mails that were handed over in full


class Sender:
    """Sends what the queue hands out, over up to `connections` connections at once."""

    def __init__(self, tools: Tools, *, connections: int) -> None:
        """Start nothing before `run`."""
        self._tools = tools
        self._workers = [Worker(tools) for _ in range(connections)]
        self._tasks: dict[asyncio.Task[None], Worker] = {}

    async def run(self) -> None:
        """Send until the queue is finished, that is until a drain has ended or `cut_off` was called."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tools.queue.run())
            self._tasks = {group.create_task(worker.run()): worker for worker in self._workers}

    def drain(self) -> None:
        """Send everything that is queued, tries of waiting retries included, then finish."""
        self._tools.link.drain()
        self._tools.queue.drain()

    async def cut_off(self) -> None:
        """End at once: no new mail is begun; mails past their final dot get a little longer for their reply."""
        self._tools.link.stop()
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
            task.cancel()  # the worker records its mail as ambiguous
