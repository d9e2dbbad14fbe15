"""Pruning: what was finished before the cutoff goes, in small steps, and nothing else."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.domain.acknowledgement import AckAction, AckDoor, AckEvent
from app.domain.envelope import EnvelopeState
from app.domain.outcome import Outcome
from app.domain.ports import PruneStep
from app.storage import pruning
from tests.support.clock import NOW
from tests.support.desk import envelope_ids
from tests.support.factories import DEFERRED, REFUSED, SENT, Batch, an_attachment, verdict_on
from tests.support.sqlite_desk import SqliteDesk

DAY = timedelta(days=1)
OLD = NOW - 40 * DAY
CUTOFF = NOW - 30 * DAY
MADE_BEFORE = 1000
TABLES = ("alerts", "envelopes", "deliveries", "attachments", "events")


async def finished(
    desk: SqliteDesk, count: int = 1, *, at: datetime = OLD, outcome: Outcome = SENT, **of: Any
) -> Batch:
    """Accept alerts and record an outcome for each, all at one time."""
    batch = await desk.post(count, at=at, **of)
    for envelope in envelope_ids(batch):
        await desk.journal.record(verdict_on(envelope, outcome, at=at))
    return batch


async def prune(desk: SqliteDesk) -> list[PruneStep]:
    """Prune to the end, step by step."""
    steps = [await desk.journal.prune_step(CUTOFF, MADE_BEFORE, 0)]
    while steps[-1].after is not None:
        steps.append(await desk.journal.prune_step(CUTOFF, MADE_BEFORE, steps[-1].after))
    return steps


async def rows(desk: SqliteDesk) -> list[int]:
    """Return how many rows each table has that holds something of an alert."""
    return [await desk.value(f"SELECT count(*) FROM {table}") for table in TABLES]


async def test_an_alert_that_was_kept_goes_like_the_others(desk: SqliteDesk) -> None:
    """It was finished when it came."""
    await desk.post_to(1, state=EnvelopeState.KEPT, at=OLD)
    await prune(desk)
    assert await rows(desk) == [0] * len(TABLES)


async def test_an_alert_stays_while_one_of_its_mails_waits(desk: SqliteDesk) -> None:
    """With all that the others came to."""
    batch = await desk.post_to(2, at=OLD)
    await desk.journal.record(verdict_on(batch.envelopes[0].id, SENT, at=OLD))
    await prune(desk)
    assert (await rows(desk))[:2] == [1, 2]


@pytest.mark.parametrize("outcome", [SENT, REFUSED], ids=["sent", "refused"])
async def test_an_old_finished_alert_goes_with_all_that_belongs_to_it(desk: SqliteDesk, outcome: Outcome) -> None:
    """No envelope, delivery, attachment or event is left without its alert."""
    batch = await finished(desk, outcome=outcome, attachments=(an_attachment(), an_attachment(b"")))
    await desk.journal.drop(batch.envelopes[0].id, OLD)
    assert [step.removed for step in await prune(desk)] == [1]
    assert await desk.journal.find(batch.alerts[0].id) is None
    assert await rows(desk) == [0, 0, 0, 0, 0]


async def test_an_alert_stays_while_its_mail_waits(desk: SqliteDesk) -> None:
    """However old it is, what has not been sent is not thrown away."""
    await finished(desk, outcome=DEFERRED)
    await desk.post(at=OLD)
    assert [step.removed for step in await prune(desk)] == [0]
    assert (await rows(desk))[:3] == [2, 2, 1]
    assert await desk.open_counts() == {2}


@pytest.mark.parametrize(
    ("finished_at", "removed"),
    [(CUTOFF - timedelta(milliseconds=1), 1), (CUTOFF, 0), (NOW, 0)],
    ids=["just before the cutoff", "at the cutoff", "after it"],
)
async def test_the_retention_counts_from_the_end(desk: SqliteDesk, finished_at: datetime, removed: int) -> None:
    """An alert that was retried for long is kept as long after its end as others."""
    (envelope,) = envelope_ids(await desk.post(at=OLD))
    await desk.journal.record(verdict_on(envelope, SENT, at=finished_at))
    assert [step.removed for step in await prune(desk)] == [removed]


@pytest.mark.parametrize(
    ("running_seconds", "removed"), [(MADE_BEFORE - 1, 1), (MADE_BEFORE, 0)], ids=["long ago", "lately"]
)
async def test_what_was_made_lately_stays_whatever_the_clock_says(
    desk: SqliteDesk, running_seconds: int, removed: int
) -> None:
    """A wall clock that jumps ahead makes everything look old; the time that the daemon has run does not jump."""
    await finished(desk, running_seconds=running_seconds)
    assert [step.removed for step in await prune(desk)] == [removed]


async def test_a_step_ends_early_at_many_attachments(desk: SqliteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten megabytes beside each of 500 alerts do not all go in one transaction."""
    monkeypatch.setattr(pruning, "STEP_PIECES", 3)
    await finished(desk, 5, attachments=(an_attachment(), an_attachment()))
    assert [step.removed for step in await prune(desk)] == [2, 2, 1]
    assert await rows(desk) == [0, 0, 0, 0, 0]


async def test_it_goes_in_small_steps(desk: SqliteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step looks at a few alerts only, and together they look at all."""
    monkeypatch.setattr(pruning, "STEP", 3)
    await finished(desk, 4)
    await desk.post(4, at=OLD)
    await finished(desk, 2)
    await finished(desk, 2, at=NOW)
    assert [step.removed for step in await prune(desk)] == [3, 1, 1, 1]
    assert (await rows(desk))[:2] == [6, 6]


async def test_a_last_step_that_is_full_is_followed_by_an_empty_one(
    desk: SqliteDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end is found also if the number of alerts is a multiple of the step."""
    monkeypatch.setattr(pruning, "STEP", 2)
    await finished(desk, 4)
    assert [step.removed for step in await prune(desk)] == [2, 2, 0]


async def test_acknowledgements_go_with_their_alert(desk: SqliteDesk) -> None:
    """Those of others stay."""
    old, new = await finished(desk), await finished(desk, at=NOW)
    event = AckEvent(at=OLD, action=AckAction.ACKNOWLEDGED, who="ann", how=AckDoor.HTTP)
    for batch in (old, new):
        await desk.journal.acknowledge(batch.alerts[0].id, event)
    await prune(desk)
    assert await desk.journal.acknowledged(NOW) == {new.alerts[0].id: None}
    assert await desk.value("SELECT count(*) FROM acknowledgements") == 1
