"""The lanes: who waits for a mail, and whose turn it is."""

import asyncio
import time
from datetime import timedelta

import pytest

from app.domain.envelope import QueuedMail
from app.pipeline.lanes import Lanes
from tests.support.factories import Factory

LONG = timedelta(seconds=30)  # for what comes at once
make = Factory()


async def waiters(lanes: Lanes, *names: str) -> list[asyncio.Task[QueuedMail | None]]:
    """Let somebody wait in each of these lanes, one after the other."""
    tasks = []
    for name in names:
        tasks.append(asyncio.create_task(lanes.wait(name, LONG)))
        await asyncio.sleep(0)
    return tasks


async def served(lanes: Lanes, tasks: list[asyncio.Task[QueuedMail | None]], count: int) -> list[int]:
    """Serve so many mails; return which of the waiters got them, in order."""
    order: list[int] = []
    for _ in range(count):
        lanes.serve(make.mail())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        order += [number for number, task in enumerate(tasks) if task.done() and number not in order]
    return order


async def test_lanes_are_served_in_turn_and_within_one_the_last_to_come_is_first() -> None:
    """However many wait in one of them; the connection that was used last is used again."""
    lanes = Lanes()
    tasks = await waiters(lanes, "mx1", "mx1", "mx1", "mx2", "mx2")
    assert await served(lanes, tasks, 5) == [2, 4, 1, 3, 0]
    assert not lanes.somebody_waits


async def test_whoever_has_waited_long_enough_goes_without() -> None:
    """Nobody is served a mail that he would not take."""
    lanes = Lanes()
    assert await lanes.wait("mx1", timedelta()) is None
    assert not lanes.somebody_waits
    tasks = await waiters(lanes, "mx1")
    assert await served(lanes, tasks, 1) == [0]


async def test_a_mail_that_comes_in_the_last_moment_is_not_lost() -> None:
    """It was handed out, so whoever waited has it."""
    lanes = Lanes()
    mail = make.mail()
    task = asyncio.create_task(lanes.wait("mx1", timedelta(milliseconds=1)))
    await asyncio.sleep(0)
    lanes.serve(mail)
    time.sleep(0.005)  # the loop finds the mail and the end of the wait together
    assert await task is mail


async def test_dismissed_waiters_go_without_a_mail() -> None:
    """All of them, and whoever comes later waits anew."""
    lanes = Lanes()
    tasks = await waiters(lanes, "mx1", "mx2")
    lanes.dismiss()
    assert await asyncio.gather(*tasks) == [None, None]
    assert not lanes.somebody_waits


async def test_a_mail_for_nobody_is_an_error() -> None:
    """It must not vanish."""
    with pytest.raises(AssertionError, match="nobody waits"):
        Lanes().serve(make.mail())
