"""The reads: short, by index, and never in the way of a commit."""

import asyncio
import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from app.domain.alert import Severity
from app.domain.envelope import EnvelopeState
from app.storage import archive_reads, dead_letters, queue_reads
from app.storage.codec import UNREADABLE
from tests.support.desk import envelope_ids
from tests.support.factories import LETTERHEAD, REFUSED, SENT, verdict_on
from tests.support.sqlite_desk import SqliteDesk


async def test_a_seldom_match_is_found_over_many_short_scans(desk: SqliteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One critical alert at the very end of many is found, and the page then ends."""
    monkeypatch.setattr(archive_reads, "SCAN", 3)
    critical = await desk.post(severity=Severity.CRITICAL)
    await desk.post(20)
    page = await desk.journal.page(before=None, limit=5, state=None, severity=Severity.CRITICAL)
    assert [line.id for line in page.alerts] == [critical.alerts[0].id]
    assert page.next_before is None


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 50])
@pytest.mark.parametrize("scan", [1, 2, 3, 7])
async def test_scans_and_pages_of_any_size_fit_together(
    desk: SqliteDesk, monkeypatch: pytest.MonkeyPatch, limit: int, scan: int
) -> None:
    """No alert falls between two scans or two pages."""
    monkeypatch.setattr(archive_reads, "SCAN", scan)
    wanted = []
    for severity in [Severity.INFO, Severity.ERROR, Severity.ERROR, Severity.INFO, Severity.ERROR, Severity.INFO] * 2:
        batch = await desk.post(severity=severity)
        wanted += [alert.id for alert in batch.alerts if severity is Severity.ERROR]
    lines = [line for page in await desk.pages(limit, severity=Severity.ERROR) for line in page]
    assert [line.id for line in lines] == wanted[::-1]


WHERE = {"of all": archive_reads.IN_REACH, "of a rare state": archive_reads.AMONG}


@pytest.mark.parametrize("where", WHERE.values(), ids=WHERE.keys())
async def test_no_page_walks_over_the_table(desk: SqliteDesk, where: str) -> None:
    """Mails are gathered by alert in the order of an index, which holds all that the filters ask."""
    parameters = {"before": 1, "after": 0, "candidates": "[]", "limit": 1, "state": None, "rank": None}
    plan = await plan_of(desk, archive_reads.PAGE.format(where=where), parameters)
    assert "SEARCH envelopes USING COVERING INDEX envelopes_alert (alert_id" in plan
    assert "SCAN envelopes" not in plan
    assert "SCAN a" not in plan.replace("SCAN alerts_of_page", "")
    assert "TEMP B-TREE FOR GROUP BY" not in plan


@pytest.mark.parametrize("states", archive_reads.STATES_BEHIND.values(), ids=str)
async def test_what_is_rare_has_an_index_of_its_own(desk: SqliteDesk, states: tuple[EnvelopeState, ...]) -> None:
    """A few failed alerts among millions are found without a walk over the others."""
    plan = await plan_of(desk, archive_reads.candidates_of(states), {"before": 1, "count": 1})
    assert "SEARCH envelopes USING COVERING INDEX envelopes_failed (state=? AND alert_id<?)" in plan
    assert "TEMP B-TREE" not in plan


async def plan_of(desk: SqliteDesk, query: str, parameters: dict[str, Any]) -> str:
    """Return how SQLite goes about it."""
    explain = f"EXPLAIN QUERY PLAN {query}"
    rows = await desk.ask(lambda connection: connection.execute(explain, parameters).fetchall())
    return " / ".join(row[3] for row in rows)


@pytest.mark.parametrize("limit", [1, 2, 50])
@pytest.mark.parametrize("size", [1, 2, 3])
async def test_no_alert_is_split_between_scans_or_pages(
    desk: SqliteDesk, monkeypatch: pytest.MonkeyPatch, limit: int, size: int
) -> None:
    """However many mails an alert has, it is listed once, with the state of all of them."""
    monkeypatch.setattr(archive_reads, "SCAN", size)
    monkeypatch.setattr(archive_reads, "CHUNK", size)
    wanted = []
    for outcomes in ((SENT, SENT, REFUSED), (REFUSED, REFUSED), (SENT,), (REFUSED, SENT), (SENT, SENT)):
        batch = await desk.post_to(len(outcomes))
        for envelope, outcome in zip(batch.envelopes, outcomes, strict=True):
            await desk.journal.record(verdict_on(envelope.id, outcome))
        wanted.append(batch.alerts[0].id)
    everything = [line for page in await desk.pages(limit) for line in page]
    assert [line.id for line in everything] == wanted[::-1]
    partly = [line for page in await desk.pages(limit, state=EnvelopeState.PARTLY_SENT) for line in page]
    assert [line.id for line in partly] == [wanted[3], wanted[0]]
    assert len(partly[1].envelope_ids) == 3


async def test_what_is_due_is_read_in_the_order_of_its_index(desk: SqliteDesk) -> None:
    """A million waiting mails are not sorted to hand out two hundred."""
    parameters = {"rank": 1, "until": 1, "ambiguous": 1, "held": "[]", "count": 1}
    explain = f"EXPLAIN QUERY PLAN {queue_reads.DUE_OF_RANK}"
    rows = await desk.ask(lambda connection: connection.execute(explain, parameters).fetchall())
    plan = " / ".join(row[3] for row in rows)
    assert "SEARCH e USING INDEX envelopes_open (rank=? AND due_at<?)" in plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan


LISTS = {
    "dead letters": (dead_letters.LETTERS, "SEARCH e USING INDEX envelopes_dead (id<?)"),
    "what to retry": (dead_letters.OLDEST, "SEARCH envelopes USING INDEX envelopes_dead (id>?)"),
}


@pytest.mark.parametrize(("query", "search"), LISTS.values(), ids=LISTS.keys())
async def test_dead_letters_are_read_in_the_order_of_their_index(desk: SqliteDesk, query: str, search: str) -> None:
    """However many were sent, only the failed ones are looked at."""
    parameters = {"before": 1, "after": 0, "limit": 1}
    rows = await desk.ask(lambda connection: connection.execute(f"EXPLAIN QUERY PLAN {query}", parameters).fetchall())
    plan = " / ".join(row[3] for row in rows)
    assert search in plan
    assert "TEMP B-TREE" not in plan


WAITING = {
    "since": (queue_reads.WAITING_SINCE, (1,)),
    "lowest": (queue_reads.LOWEST_RUNNING_SECONDS, {"rank": 1, "now": 1}),
}


@pytest.mark.parametrize(("query", "parameters"), WAITING.values(), ids=WAITING.keys())
async def test_the_longest_wait_is_one_look_into_an_index(
    desk: SqliteDesk, query: str, parameters: tuple[int, ...] | dict[str, int]
) -> None:
    """A million waiting mails are not walked over every few seconds."""
    rows = await desk.ask(lambda connection: connection.execute(f"EXPLAIN QUERY PLAN {query}", parameters).fetchall())
    plan = " / ".join(row[3] for row in rows)
    assert "INDEX envelopes_waiting (rank=?)" in plan
    assert "TEMP B-TREE" not in plan


async def test_only_what_is_overdue_is_looked_at(desk: SqliteDesk) -> None:
    """Mails that wait within their time cost nothing, though a million of them wait."""
    parameters = {"made_before": 1, "after": 0, "limit": 1, "quarantined": "[]"}
    explain = f"EXPLAIN QUERY PLAN {queue_reads.OVERDUE}"
    rows = await desk.ask(lambda connection: connection.execute(explain, parameters).fetchall())
    plan = " / ".join(row[3] for row in rows)
    assert "INDEX envelopes_waiting (rank=? AND running_seconds<?)" in plan


async def test_reads_do_not_wait_for_a_commit(desk: SqliteDesk) -> None:
    """While a commit takes its time, the sender and people get their answers."""
    batch = await desk.post()
    async with desk.held_writer():
        assert await desk.due_ids() == envelope_ids(batch)
        assert await desk.journal.find(batch.alerts[0].id) is not None


async def test_posts_under_way_count_against_the_backlog_limit(desk: SqliteDesk) -> None:
    """Many posts at once do not pass the limit together."""
    desk.journal._backlog_limit = 10
    async with desk.held_writer():
        posts = [asyncio.create_task(desk.post(3)) for _ in range(5)]
    results = await asyncio.gather(*posts, return_exceptions=True)
    assert sum(isinstance(result, Exception) for result in results) == 2
    assert await desk.open_counts() == {9}


async def test_an_unreadable_row_does_not_stop_the_others(desk: SqliteDesk) -> None:
    """A payload that is no JSON is quarantined; the mails around it are handed out, now and later."""
    first, bad, last = await desk.post(), await desk.post(), await desk.post()
    damage = f"UPDATE alerts SET payload = 'no JSON' WHERE id = {bad.alerts[0].id}"
    await desk.ask(lambda connection: connection.execute(damage).rowcount)
    wanted = envelope_ids(first) + envelope_ids(last)
    assert await desk.due_ids() == wanted
    assert await desk.due_ids() == wanted
    overdue = await desk.journal.overdue(made_before=0, after=0, limit=2)
    assert [mail.envelope.id for mail in overdue] == wanted
    assert desk.journal.open_count == 3


async def test_an_unreadable_alert_spoils_no_list(desk: SqliteDesk) -> None:
    """It is listed and shown as what it is, and the others as ever."""
    good, bad = await desk.post(subject="good"), await desk.post()
    number = bad.alerts[0].id
    damage = f"UPDATE alerts SET payload = '{{}}' WHERE id = {number}"
    await desk.ask(lambda connection: connection.execute(damage).rowcount)
    page = await desk.journal.page(before=None, limit=10, state=None, severity=None)
    assert [alert.subject for alert in page.alerts] == [UNREADABLE.subject, "good"]
    report = await desk.journal.find(number)
    assert report is not None
    assert report.accepted.alert is UNREADABLE
    assert good.alerts


async def test_letterheads_that_were_not_used_for_long_are_read_again(desk: SqliteDesk) -> None:
    """Alerts that name people make many; memory holds the last ones."""
    kept = [await desk.journal.keep(replace(LETTERHEAD, server_name=name)) for name in ("a", "b", "c")]
    cache = queue_reads.LetterheadCache(size=2)

    def server_names(connection: sqlite3.Connection) -> list[str]:
        return [cache.get(connection, kept[index]).server_name for index in (0, 1, 0, 2, 0, 1)]

    assert await desk.ask(server_names) == ["a", "b", "a", "c", "a", "b"]
    assert len(cache) == 2
