"""A journal in memory, for tests of what stands before a journal. The contract suite keeps it honest."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.alert import AcceptedAlert, Severity
from app.domain.envelope import Delivery, Envelope, EnvelopeState, Letterhead, QueuedMail
from app.domain.errors import JournalUnavailable
from app.domain.ports import DueQuery
from app.domain.report import AlertPage, AlertReport, AlertSummary, EnvelopeReport
from app.domain.verdict import Verdict


@dataclass(slots=True)
class Entry:
    """One envelope and what was recorded of it."""

    mail: QueuedMail
    verdict: Verdict | None = None

    @property
    def state(self) -> EnvelopeState:
        """Where the envelope stands."""
        return self.verdict.state if self.verdict else EnvelopeState.OPEN

    @property
    def ambiguous(self) -> bool:
        """Whether a recipient may have the mail already."""
        return self.verdict is not None and self.verdict.ambiguous

    @property
    def size(self) -> int:
        """What it adds to the bytes of a page."""
        return len(self.mail.accepted.alert.subject) + len(self.mail.accepted.alert.content)


class MemoryJournal:
    """Keeps everything in dictionaries. A test may hold up or fail what it does."""

    def __init__(self, *, backlog_limit: int = 1_000_000) -> None:
        self.entries: dict[int, Entry] = {}
        self.verdicts: list[Verdict] = []
        self.queries: list[DueQuery] = []
        self.fault: Exception | None = None  # that the next read or acceptance raises
        self.may_read = asyncio.Event()  # cleared: a read has looked and does not come back yet
        self.may_read.set()
        self.may_accept = asyncio.Event()  # cleared: an acceptance takes its time, as on a slow disk
        self.may_accept.set()
        self.commits: list[asyncio.Future[None]] = []
        self.holds_commits = False  # set: `record` is done only when the test says so
        self._backlog_limit = backlog_limit
        self._letterheads: list[Letterhead] = []

    @property
    def open_count(self) -> int:
        """How many envelopes wait."""
        return sum(entry.state is EnvelopeState.OPEN for entry in self.entries.values())

    def put(self, *mails: QueuedMail) -> None:
        """Hold `mails`, as if they had been accepted."""
        for mail in mails:
            self.entries[mail.envelope.id] = Entry(mail)

    async def accept(self, alerts: Sequence[AcceptedAlert], envelopes: Sequence[Envelope]) -> None:
        """Take all or none."""
        self._raise_fault()
        await self.may_accept.wait()
        if self.open_count + len(envelopes) > self._backlog_limit:
            raise JournalUnavailable(f"backlog_limit {self._backlog_limit}")
        by_id = {alert.id: alert for alert in alerts}
        for envelope in envelopes:
            letterhead = self._letterheads[envelope.letterhead_id - 1]
            deliveries = tuple(map(Delivery, range(len(letterhead.recipients))))
            self.put(QueuedMail(envelope, by_id[envelope.alert_id], letterhead, deliveries))

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

    def record(self, verdict: Verdict) -> asyncio.Future[None]:
        """Take the verdict at once."""
        self.verdicts.append(verdict)
        entry = self.entries[verdict.envelope_id]
        touched = {delivery.position: delivery for delivery in verdict.deliveries}
        entry.verdict = verdict
        entry.mail = replace(
            entry.mail,
            envelope=replace(entry.mail.envelope, due_at=verdict.due_at),
            deliveries=tuple(touched.get(d.position, d) for d in entry.mail.deliveries),
        )
        commit: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.commits.append(commit)
        if not self.holds_commits:
            commit.set_result(None)
        return commit

    async def find(self, alert_id: int) -> AlertReport | None:
        """Return the alert and its mail."""
        for entry in self.entries.values():
            if entry.mail.accepted.id == alert_id:
                return AlertReport(entry.mail.accepted, (_report(entry),))
        return None

    async def page(
        self, *, before: int | None, limit: int, state: EnvelopeState | None, severity: Severity | None
    ) -> AlertPage:
        """Return alerts older than `before`, newest first."""
        newest_first = sorted(map(_summary, self.entries.values()), key=lambda line: line.id, reverse=True)
        found = [
            line
            for line in newest_first
            if (before is None or line.id < before)
            and (state is None or line.state is state)
            and (severity is None or line.severity is severity)
        ]
        return AlertPage(tuple(found[:limit]), next_before=found[limit - 1].id if len(found) > limit else None)

    async def keep(self, letterhead: Letterhead) -> int:
        """Return the number of the letterhead."""
        if letterhead not in self._letterheads:
            self._letterheads.append(letterhead)
        return self._letterheads.index(letterhead) + 1

    async def close(self) -> None:
        """Keep nothing open."""

    def _raise_fault(self) -> None:
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault


def _is_due(entry: Entry, query: DueQuery) -> bool:
    envelope = entry.mail.envelope
    return (
        entry.state is EnvelopeState.OPEN
        and envelope.due_at <= query.until
        and envelope.id not in query.held
        and (query.with_ambiguous or not entry.ambiguous)
    )


def _report(entry: Entry) -> EnvelopeReport:
    envelope = entry.mail.envelope
    return EnvelopeReport(
        id=envelope.id,
        state=entry.state,
        made_at=envelope.made_at,
        due_at=envelope.due_at,
        finished_at=entry.verdict.finished_at if entry.verdict else None,
        letterhead=entry.mail.letterhead,
        deliveries=entry.mail.deliveries,
    )


def _summary(entry: Entry) -> AlertSummary:
    accepted = entry.mail.accepted
    return AlertSummary(
        id=accepted.id,
        received_at=accepted.received_at,
        subject=accepted.alert.subject,
        severity=accepted.alert.severity,
        status=accepted.alert.status,
        source=accepted.alert.source,
        envelope_id=entry.mail.envelope.id,
        state=entry.state,
    )
