"""A heartbeat desk over a journal in memory, with a clock that a test moves."""

from datetime import datetime, timedelta
from typing import Any

from app.domain.alert import Alert, Status
from app.domain.envelope import EnvelopeState
from app.domain.heartbeat import Heartbeat, HeartbeatRecord
from app.domain.heartbeat_schedule import Every
from app.domain.ids import IdSource
from app.domain.receiver import Receiver
from app.pipeline.address_book import AddressBook, Entry
from app.pipeline.heartbeats import HeartbeatDesk
from app.pipeline.ingest import Ingest, MailPlan
from tests.support.clock import FakeClock
from tests.support.factories import LETTERHEAD
from tests.support.memory_journal import MemoryJournal

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
BACKUP = Heartbeat(name="backup", schedule=Every(DAY), grace=HOUR)


class HeartbeatBench:
    """What several runs of the daemon share: the journal, and time."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.clock = FakeClock()
        self._ids = IdSource()

    async def start(self, *configured: Heartbeat, left_at: datetime | None = None) -> HeartbeatDesk:
        """Return the desk of a new run, which has looked once."""
        number = await self.journal.keep(LETTERHEAD)
        book = AddressBook(receivers={"default": Entry(Receiver(name="default"), number)}, kept_under=number)
        self.ingest = Ingest(
            store=self.journal,
            ids=self._ids,
            clock=self.clock,
            plan=MailPlan(address_book=book, usable_seconds=lambda: 0, running_seconds=lambda: 0),
            on_accepted=lambda _severity: None,
        )
        desk = HeartbeatDesk(
            ingest=self.ingest, store=self.journal, clock=self.clock, configured=configured, left_at=left_at
        )
        await desk.load()
        await desk.look()
        return desk

    async def pass_time(self, desk: HeartbeatDesk, duration: timedelta) -> None:
        """Let time go on, with a look every half minute: nobody sleeps."""
        step = timedelta(seconds=30)
        while duration > timedelta():
            self.clock.pass_time(min(step, duration))
            duration -= step
            await desk.look()

    @property
    def mailed(self) -> list[Alert]:
        """The alerts of which somebody is told, in order."""
        return [
            entry.mail.accepted.alert
            for _, entry in sorted(self.journal.entries.items())
            if entry.state is not EnvelopeState.KEPT
        ]

    @property
    def told(self) -> list[tuple[str, Status]]:
        """Their subjects, each with its status."""
        return [(alert.subject, alert.status) for alert in self.mailed]

    def output_of(self, position: int) -> bytes:
        """Return the attachment of the mailed alert at this position."""
        entry = [entry for _, entry in sorted(self.journal.entries.items())][position]
        contents: dict[int, bytes] = self.journal._attachments[entry.mail.accepted.id]
        return contents.get(0, b"")


def the_record(desk: HeartbeatDesk, name: str = "backup") -> HeartbeatRecord:
    """Return what the desk knows of this heartbeat."""
    return next(record for record in desk.records() if record.heartbeat.name == name)


def a_heartbeat(**changes: Any) -> Heartbeat:
    """Return the backup's heartbeat with changes."""
    usual: dict[str, Any] = {"name": "backup", "schedule": Every(DAY), "grace": HOUR}
    return Heartbeat(**usual | changes)
