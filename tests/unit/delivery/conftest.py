"""The sender with everything around it in memory."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.sending import Sending


@pytest.fixture(autouse=True)
def _poll_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.pipeline.queue.POLL_SECONDS", 0.01)


@pytest.fixture
async def sending() -> AsyncIterator[Sending]:
    """A sender with one connection; it starts when the test says so, and ends with it."""
    sending = Sending()
    yield sending
    async with asyncio.timeout(30):
        await sending.end()
