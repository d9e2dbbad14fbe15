"""A journal in memory, for tests of what stands before a journal. The contract suite keeps it honest."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from app.domain.acknowledgement import AckEvent
from app.domain.alert import AcceptedAlert, Severity
from app.domain.dead_letter import DeadLetterPage
from app.domain.envelope import Delivery, Envelope, EnvelopeState, Letterhead, QueuedMail
from app.domain.errors import JournalUnavailable
from app.domain.feedback import NO_FEEDBACK, Feedback
from app.domain.heartbeat import HeartbeatRecord
from app.domain.ids import MAX_ID
from app.domain.ports import DueQuery, FreshStart, RetryStep
from app.domain.receipt import KeptReceipt
from app.domain.report import AlertPage, AlertReport
from app.domain.verdict import Verdict
from tests.support.memory_acknowledgements import MemoryAcknowledgements
from tests.support.memory_entry import Entry
from tests.support.memory_heartbeats import MemoryHeartbeats
from tests.support.memory_mailbox import MemoryMailbox
from tests.support.memory_reports import dead_letter_of, report_of, summary_of


class MemoryJournal:
    """Keeps everything in dictionaries. A test may hold up or fail what it does."""

    def __init__(self, *, backlog_limit: int = 1_000_000) -> None:
        self.entries: dict[int, Entry] = {}
        self.mailbox = MemoryMailbox(self.entries)
        self.verdicts: list[Verdict] = []
        self.leases: list[set[int]] = []  # each call of `lease`
        self.queries: list[DueQuery] = []
        self.fault: Exception | None = None  # that the next read or acceptance raises
        self.may_read = asyncio.Event()  # cleared: a read has looked and does not come back yet
        self.may_read.set()
        self.may_accept = asyncio.Event()  # cleared: an acceptance takes its time, as on a slow disk
        self.may_accept.set()
        self.commits: list[asyncio.Future[None]] = []
        self.holds_commits = False  # set: `record` is done only when the test says so
        self.lease_commits: list[asyncio.Future[None]] = []
        self.holds_leases = False  # set: `lease` is done only when the test says so
        self._backlog_limit = backlog_limit
        self._letterheads: list[Letterhead] = []
        self._attachments: dict[int, dict[int, bytes]] = {}
        self._alarms: dict[str, datetime] = {}
        self._receipts: dict[bytes, KeptReceipt] = {}
        self._heartbeats = MemoryHeartbeats()
        self._acknowledgements = MemoryAcknowledgements()

    @property
    def open_count(self) -> int:
        """How many envelopes wait."""
        return sum(entry.state is EnvelopeState.OPEN for entry in self.entries.values())

    def put(self, *mails: QueuedMail) -> None:
        """Hold `mails`, as if they had been accepted."""
        for mail in mails:
            accepted = mail.accepted
            contents = (attachment.data for attachment in accepted.alert.attachments)
            self._attachments[accepted.id] = dict(enumerate(contents))
            emptied = tuple(replace(attachment, data=b"") for attachment in accepted.alert.attachments)
            stored = replace(accepted, alert=replace(accepted.alert, attachments=emptied))
            finished_at = None if mail.envelope.state is EnvelopeState.OPEN else mail.envelope.made_at
            self.entries[mail.envelope.id] = Entry(
                replace(mail, accepted=stored), state=mail.envelope.state, finished_at=finished_at
            )

    async def accept(
        self,
        alerts: Sequence[AcceptedAlert],
        envelopes: Sequence[Envelope],
        receipts: Sequence[KeptReceipt] = (),
        heartbeats: Sequence[HeartbeatRecord] = (),
        feedback: Feedback = NO_FEEDBACK,
    ) -> None:
        """Take all or none."""
        self._raise_fault()
        await self.may_accept.wait()
        self._check_room(sum(envelope.state is EnvelopeState.OPEN for envelope in envelopes))
        self._receipts |= {kept.claim.key: kept for kept in receipts}
        self._heartbeats.put(heartbeats)
        self.mailbox.take_reads(feedback.reads)
        by_id = {alert.id: alert for alert in alerts}
        for envelope in envelopes:
            letterhead = self._letterheads[envelope.letterhead_id - 1]
            deliveries = tuple(map(Delivery, range(len(letterhead.recipients))))
            self.put(QueuedMail(envelope, by_id[envelope.alert_id], letterhead, deliveries))
        for alert_id, event in feedback.acknowledgements:
            await self.acknowledge(alert_id, event)

    async def receipts(self, keys: Sequence[bytes]) -> dict[bytes, KeptReceipt]:
        """Return those that are kept under these keys."""
        return {key: self._receipts[key] for key in keys if key in self._receipts}

    async def forget_receipts(self, before: datetime) -> int:
        """Forget all that were made before that time; return how many."""
        old = [key for key, kept in self._receipts.items() if kept.made_at < before]
        for key in old:
            del self._receipts[key]
        return len(old)

    async def heartbeats(self) -> list[HeartbeatRecord]:
        """Return all, without their output."""
        return self._heartbeats.all()

    async def heartbeat_output(self, name: str) -> bytes:
        """Return what its last ping brought along."""
        return self._heartbeats.output(name)

    async def forget_heartbeat(self, name: str) -> None:
        """Remove it."""
        self._heartbeats.forget(name)

    async def due(self, query: DueQuery) -> list[QueuedMail]:
        """Answer as the journal was when the read began."""
        self.queries.append(query)
        self._raise_fault()
        found = self._due(query)
        await self.may_read.wait()
        return found

    def _due(self, query: DueQuery) -> list[QueuedMail]:
        wanted = [entry for entry in self.entries.values() if _is_due(entry, query)]
        wanted.sort(key=lambda e: (-e.mail.envelope.severity.rank, e.mail.envelope.due_at, e.mail.envelope.id))
        found: list[QueuedMail] = []
        total = 0
        for entry in wanted[: query.count]:
            total += entry.size
            if found and total > query.max_bytes:
                break
            found.append(entry.mail)
        return found

    async def overdue(
        self, *, made_before: int, after: int, limit: int, unacknowledged_at: datetime | None = None
    ) -> list[QueuedMail]:
        """Return open mails made at or before these running seconds, in the order of their ids."""
        mails = sorted(self._open(unacknowledged_at), key=lambda mail: mail.envelope.id)
        found = [m for m in mails if m.envelope.running_seconds <= made_before and m.envelope.id > after]
        return found[:limit]

    def _open(self, unacknowledged_at: datetime | None) -> list[QueuedMail]:
        """Return the mails that wait, at that time without those that somebody sees to."""
        mails = [entry.mail for entry in self.entries.values() if entry.state is EnvelopeState.OPEN]
        if unacknowledged_at is None:
            return mails
        return [mail for mail in mails if not self._acknowledgements.hold(mail.accepted.id, unacknowledged_at)]

    async def attachments(self, alert_id: int) -> dict[int, bytes]:
        """Return the contents of the alert's attachments by their number."""
        return self._attachments.get(alert_id, {})

    def record(self, verdict: Verdict) -> asyncio.Future[None]:
        """Take the verdict at once."""
        self.verdicts.append(verdict)
        self.entries[verdict.envelope_id].apply(verdict)
        return _commit(self.commits, held=self.holds_commits)

    def lease(self, envelope_ids: Collection[int]) -> asyncio.Future[None]:
        """Note the call."""
        self.leases.append(set(envelope_ids))
        return _commit(self.lease_commits, held=self.holds_leases)

    async def oldest_open(self) -> datetime | None:
        """Return since when the mail that waits longest has been waiting."""
        return min((e.waiting_since for e in self.entries.values() if e.state is EnvelopeState.OPEN), default=None)

    async def oldest_waiting(self, at_least: Severity, *, unacknowledged_at: datetime) -> int | None:
        """Return the lowest running seconds among open mails of this severity or above."""
        waiting = [mail.envelope for mail in self._open(unacknowledged_at)]
        return min((e.running_seconds for e in waiting if e.severity.rank >= at_least.rank), default=None)

    async def mail(self, envelope_id: int) -> QueuedMail | None:
        """Return the mail, whatever its state."""
        entry = self.entries.get(envelope_id)
        return None if entry is None else entry.mail_now

    async def acknowledge(self, alert_id: int, event: AckEvent) -> bool:
        """Add the event if the alert is known."""
        is_known = bool(self._mails_of(alert_id))
        if is_known:
            self._acknowledgements.add(alert_id, event)
        return is_known

    async def acknowledged(self, now: datetime) -> Mapping[int, datetime | None]:
        """Return the alerts whose acknowledgement holds, in the order of the acknowledgements."""
        return self._acknowledgements.standing(now)

    async def find(self, alert_id: int) -> AlertReport | None:
        """Return the alert and its mails."""
        entries = self._mails_of(alert_id)
        events = self._acknowledgements.of(alert_id)
        return AlertReport(entries[0].mail.accepted, tuple(map(report_of, entries)), events) if entries else None

    def _mails_of(self, alert_id: int) -> list[Entry]:
        return [entry for _, entry in sorted(self.entries.items()) if entry.mail.accepted.id == alert_id]

    async def page(
        self, *, before: int | None, limit: int, state: EnvelopeState | None, severity: Severity | None
    ) -> AlertPage:
        """Return alerts older than `before`, newest first."""
        newest_first = sorted({entry.mail.accepted.id for entry in self.entries.values()}, reverse=True)
        found = [
            line
            for line in (summary_of(self._mails_of(number)) for number in newest_first)
            if (before is None or line.id < before)
            and (state is None or line.state is state)
            and (severity is None or line.severity is severity)
        ]
        return AlertPage(tuple(found[:limit]), next_before=found[limit - 1].id if len(found) > limit else None)

    async def dead_letters(self, *, before: int | None, limit: int) -> DeadLetterPage:
        """Return mails that failed for some recipient, newest first."""
        dead = [
            entry for number, entry in sorted(self.entries.items()) if entry.is_dead and number < (before or MAX_ID)
        ]
        found = tuple(map(dead_letter_of, dead[::-1][:limit]))
        return DeadLetterPage(found, next_before=found[-1].envelope_id if len(dead) > limit else None)

    async def retry(self, number: int, start: FreshStart) -> bool:
        """Let the recipients that failed wait again."""
        self._check_room(1)
        dead = self._named(number)
        for entry in dead:
            entry.retry(start)
        return bool(dead)

    async def retry_some(self, limit: int, start: FreshStart, *, after: int = 0) -> RetryStep:
        """Do so for the oldest ones over `after`."""
        self._check_room(1)
        dead = [number for number, entry in sorted(self.entries.items()) if entry.is_dead and number > after]
        now = dead[: min(limit, self._backlog_limit - self.open_count)]
        for number in now:
            self.entries[number].retry(start)
        return RetryStep(retried=len(now), after=now[-1] if len(dead) > len(now) else None)

    async def drop(self, number: int, at: datetime) -> bool:
        """Give up the recipients that failed."""
        dead = self._named(number)
        for entry in dead:
            entry.drop(at)
        return bool(dead)

    def _named(self, number: int) -> list[Entry]:
        dead = [entry for entry in self.entries.values() if entry.is_dead]
        return [entry for entry in dead if number in {entry.mail.envelope.id, entry.mail.accepted.id}]

    async def note_alarm(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Note the alarm, unless one was within `quiet`."""
        last = self._alarms.get(cause)
        if last is not None and at - quiet < last <= at:
            return False
        self._alarms[cause] = at
        return True

    async def keep(self, letterhead: Letterhead) -> int:
        """Return the number of the letterhead."""
        if letterhead not in self._letterheads:
            self._letterheads.append(letterhead)
        return self._letterheads.index(letterhead) + 1

    async def close(self) -> None:
        """Keep nothing open."""

    def _check_room(self, count: int) -> None:
        if self.open_count + count > self._backlog_limit:
            raise JournalUnavailable(f"backlog_limit {self._backlog_limit}")

    def _raise_fault(self) -> None:
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault


def _commit(commits: list[asyncio.Future[None]], *, held: bool) -> asyncio.Future[None]:
    commit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    commits.append(commit)
    if not held:
        commit.set_result(None)
    return commit


def _is_due(entry: Entry, query: DueQuery) -> bool:
    envelope = entry.mail.envelope
    return (
        entry.state is EnvelopeState.OPEN
        and envelope.due_at <= query.until
        and envelope.id not in query.held
        and (query.with_ambiguous or not entry.ambiguous)
    )
