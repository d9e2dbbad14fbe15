"""Once: what comes again under its key gets its first answer, and makes no second mail."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.alert import Alert
from app.domain.errors import JournalUnavailable
from app.domain.receipt import Claim, KeptReceipt, KeyReused, Receipt, claim_of
from app.pipeline.ingest import Submission
from app.pipeline.once import TAKEN_ANYWAY, Once
from tests.support.clock import FakeClock


class Taker:
    """An ingest that numbers alerts and keeps receipts, in its own time."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.kept: dict[bytes, KeptReceipt] = {}
        self.subjects: list[str] = []
        self.fault: Exception | None = None

    async def take(self, submission: Submission, claims: Sequence[Claim] = ()) -> Receipt:
        """Do as the pipeline's Ingest does."""
        await asyncio.sleep(0)
        if self.fault:
            raise self.fault
        first = len(self.subjects)
        self.subjects += [alert.subject for alert in submission.alerts]
        ids = submission.answer_ids(range(first, len(self.subjects)))
        receipt = Receipt(ids, submission.warnings, submission.is_batch)
        for claim in claims:
            self.kept[claim.key] = KeptReceipt(claim, Receipt(claim.ids_of(receipt.ids)), self.clock.now())
        return receipt

    async def receipts(self, keys: Sequence[bytes]) -> dict[bytes, KeptReceipt]:
        """Return what is kept."""
        await asyncio.sleep(0)
        return {key: self.kept[key] for key in keys if key in self.kept}


class Desk:
    """Once over such an ingest."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.taker = Taker(self.clock)
        self.once = Once(ingest=self.taker, receipts=self.taker, clock=self.clock)  # type: ignore[arg-type]  # a fake

    async def take(self, subject: str, key: str, *, sent: bytes = b"body") -> Receipt:
        """Hand one alert in under a key."""
        return await self.once.take(Submission(alerts=[Alert(subject=subject)]), [claim_of(key, sent, fingerprint=b"")])

    async def take_events(self, *names: str, key: str = "") -> Receipt:
        """Hand a batch in whose events have names, "" for none; what they say is "", or stands behind a colon."""
        claims = [
            replace(claim_of(name.partition(":")[0], name.encode(), fingerprint=b""), position=position)
            for position, name in enumerate(names)
            if name
        ]
        if key:
            claims.insert(0, claim_of(key, repr(names).encode(), fingerprint=b""))
        alerts = [Alert(subject=name) for name in names]
        return await self.once.take(Submission(alerts=alerts, is_batch=True), claims)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_the_second_gets_the_answer_of_the_first(desk: Desk) -> None:
    """One mail, the same id."""
    assert await desk.take("a", "k") == await desk.take("a", "k")
    assert desk.taker.subjects == ["a"]


async def test_two_at_once_are_one(desk: Desk) -> None:
    """The second waits for the first."""
    receipts = await asyncio.gather(*(desk.take("a", "k") for _ in range(5)))
    assert len(set(receipts)) == 1
    assert desk.taker.subjects == ["a"]


async def test_the_same_key_for_something_else_is_a_mistake(desk: Desk) -> None:
    """And takes nothing."""
    await desk.take("a", "k")
    with pytest.raises(KeyReused, match="24 hours"):
        await desk.take("b", "k", sent=b"other")
    assert desk.taker.subjects == ["a"]


async def test_a_key_is_free_again_after_a_day(desk: Desk) -> None:
    """What comes then is new."""
    await desk.take("a", "k")
    desk.clock.pass_time(timedelta(hours=24, seconds=1))
    await desk.take("b", "k", sent=b"other")
    assert desk.taker.subjects == ["a", "b"]


async def test_what_failed_is_not_remembered(desk: Desk) -> None:
    """The next try is taken, also one that waited meanwhile."""
    desk.taker.fault = JournalUnavailable("full")
    first = asyncio.create_task(desk.take("a", "k"))
    second = asyncio.create_task(desk.take("a", "k"))
    with pytest.raises(JournalUnavailable):
        await first
    desk.taker.fault = None
    assert (await second).ids == (0,)


async def test_of_a_batch_only_the_new_events_are_taken(desk: Desk) -> None:
    """Those that came before are answered as before, and one that is in it twice is taken once."""
    await desk.take_events("a", "b")
    receipt = await desk.take_events("b", "c", "c", "a")
    assert receipt == Receipt((1, 2, 2, 0), is_batch=True)
    assert desk.taker.subjects == ["a", "b", "c"]


async def test_a_batch_of_nothing_new_takes_nothing(desk: Desk) -> None:
    """The journal is not asked again."""
    await desk.take_events("a")
    assert (await desk.take_events("a")).ids == (0,)
    assert desk.taker.subjects == ["a"]


async def test_two_events_under_one_name_are_both_taken(desk: Desk) -> None:
    """A fault of the sender loses no alert, and the sender hears of it."""
    receipt = await desk.take_events("a:disk full", "a:raid degraded", "b")
    assert receipt == Receipt((0, 1, 2), (TAKEN_ANYWAY,), is_batch=True)
    assert desk.taker.subjects == ["a:disk full", "a:raid degraded", "b"]


async def test_an_event_under_a_known_name_costs_the_others_nothing(desk: Desk) -> None:
    """It is new each time that it comes; the name stays with the first."""
    await desk.take_events("a:disk full")
    receipt = await desk.take_events("b", "a:raid degraded", "c")
    assert receipt == Receipt((1, 2, 3), (TAKEN_ANYWAY,), is_batch=True)
    assert (await desk.take_events("a:disk full", "c")).ids == (0, 3)


async def test_events_without_a_name_are_taken_each_time(desk: Desk) -> None:
    """Those beside them are known again, and all ids stand where their events do."""
    assert (await desk.take_events("", "a", "")).ids == (0, 1, 2)
    assert (await desk.take_events("a", "", "b")).ids == (1, 3, 4)


async def test_a_key_answers_for_events_that_were_known(desk: Desk) -> None:
    """Its receipt names them all, old and new, also if none is new."""
    await desk.take_events("a")
    first = await desk.take_events("a", "b", key="k")
    assert first.ids == (0, 1)
    assert await desk.take_events("a", "b", key="k") == Receipt((0, 1))
    await desk.take_events("b", key="j")
    with pytest.raises(KeyReused):
        await desk.take_events("c", key="j")


async def test_events_under_a_key_are_known_without_it(desk: Desk) -> None:
    """A carrier may add a key to what another one brings without."""
    await desk.take_events("a", "b", key="k")
    assert (await desk.take_events("b")).ids == (1,)
    assert desk.taker.subjects == ["a", "b"]
