"""A running queue."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.pipeline import queue as queue_module
from tests.support.queue_bench import Bench


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """A running queue that polls only when it is woken."""
    monkeypatch.setattr(queue_module, "POLL_SECONDS", 1000)
    bench = Bench()
    feeder = asyncio.create_task(bench.queue.run())
    await bench.settled()
    yield bench
    bench.queue.abandon()
    async with asyncio.timeout(30):
        await feeder
