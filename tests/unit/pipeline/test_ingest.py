"""Ingest: an alert gets its identity and its mail, and is answered only once both are durable."""

import asyncio

import pytest

from app.domain.alert import Alert, Severity
from app.domain.envelope import EnvelopeState
from app.domain.errors import JournalUnavailable
from app.domain.ids import IdSource, first_id_at
from app.pipeline.address_book import Destinations
from app.pipeline.ingest import Ingest, MailPlan
from tests.support.clock import NOW, FakeClock
from tests.support.factories import FULL, LETTERHEAD
from tests.support.memory_journal import MemoryJournal


class Book:
    """Sends everything to the receiver with letterhead 1, and keeps what is called `kept`."""

    async def destinations_of(self, alert: Alert) -> Destinations:
        """Return where the alert goes."""
        return Destinations((), ("nobody is told",), kept_under=1) if alert.subject == "kept" else Destinations((1,))


class Door:
    """An ingest over a journal in memory."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.clock = FakeClock()
        self.accepted = 0
        self.ingest = Ingest(
            store=self.journal,
            ids=IdSource(),
            clock=self.clock,
            plan=MailPlan(address_book=Book(), usable_seconds=lambda: 4711, running_seconds=lambda: 815),
            on_accepted=self._on_accepted,
        )

    def _on_accepted(self, severity: Severity) -> None:
        self.accepted += 1
        self.severity = severity


@pytest.fixture
async def door() -> Door:
    """A door whose journal has a letterhead."""
    door = Door()
    await door.journal.keep(LETTERHEAD)
    return door


async def test_each_alert_gets_its_mail(door: Door) -> None:
    """The envelope freezes the letterhead, the time, the severity, and for how long relays and daemon have worked."""
    (alert_id,) = (await door.ingest.accept([FULL])).ids
    (entry,) = door.journal.entries.values()
    envelope = entry.mail.envelope
    assert (envelope.alert_id, envelope.letterhead_id, envelope.severity) == (alert_id, 1, Severity.CRITICAL)
    assert (envelope.made_at, envelope.due_at) == (NOW, NOW)
    assert (envelope.usable_seconds, envelope.running_seconds) == (4711, 815)
    assert (entry.mail.accepted.alert, entry.mail.accepted.received_at) == (FULL, NOW)


async def test_ids_are_those_of_the_alerts_in_order(door: Door) -> None:
    """The ids of an array stand in its order, begin with the time, and none comes twice."""
    subjects = [f"alert {n}" for n in range(10)]
    ids = (await door.ingest.accept([Alert(subject=subject) for subject in subjects])).ids
    by_id = {entry.mail.accepted.id: entry.mail.accepted.alert.subject for entry in door.journal.entries.values()}
    assert [by_id[alert_id] for alert_id in ids] == subjects
    assert list(ids) == sorted(ids)
    assert ids[0] == first_id_at(int(NOW.timestamp() * 1000))
    assert not set(ids) & set(door.journal.entries)


async def test_the_sender_is_told_after_the_commit(door: Door) -> None:
    """One call for each commit."""
    await door.ingest.accept([Alert(subject="a"), Alert(subject="b")])
    assert door.accepted == 1


async def test_what_the_journal_cannot_take_is_not_accepted(door: Door) -> None:
    """The error reaches the client, and the sender is not told."""
    door.journal.fault = JournalUnavailable("disk full")
    with pytest.raises(JournalUnavailable, match="disk full"):
        await door.ingest.accept([FULL])
    assert (door.journal.entries, door.accepted) == ({}, 0)


async def test_a_closed_door_takes_nothing(door: Door) -> None:
    """During a shutdown alerts are turned down before they reach the journal."""
    assert not door.ingest.closed
    door.ingest.close()
    assert door.ingest.closed
    with pytest.raises(JournalUnavailable, match="shutting down"):
        await door.ingest.accept([FULL])
    assert door.journal.entries == {}


async def test_what_is_being_committed_at_the_close_is_accepted(door: Door) -> None:
    """A post that was in time is answered as accepted."""
    door.journal.may_accept.clear()
    post = asyncio.create_task(door.ingest.accept([FULL]))
    await asyncio.sleep(0)
    door.ingest.close()
    door.journal.may_accept.set()
    assert len((await post).ids) == 1
    assert door.accepted == 1


async def test_an_alert_that_nobody_wants_is_on_record(door: Door) -> None:
    """It has one finished mail to nobody, and the sender is told."""
    receipt = await door.ingest.accept([Alert(subject="kept")])
    (entry,) = door.journal.entries.values()
    assert entry.mail.envelope.state is EnvelopeState.KEPT
    assert receipt.warnings == ("nobody is told",)
