"""Takes alerts in: gives each its identity, makes its mails, and makes all durable together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from app.domain.alert import AcceptedAlert, Alert, Severity
from app.domain.envelope import Envelope, EnvelopeState
from app.domain.errors import JournalUnavailable
from app.domain.feedback import NO_FEEDBACK, Feedback
from app.domain.heartbeat import HeartbeatRecord
from app.domain.ids import IdSource
from app.domain.ports import AlertStore, Clock
from app.domain.receipt import Claim, KeptReceipt, Receipt
from app.pipeline.address_book import AddressBook, Destinations


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPlan:
    """Where alerts go, and the counts of seconds that an Envelope begins with."""

    address_book: AddressBook
    usable_seconds: Callable[[], int]
    running_seconds: Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Alerts that are handed in together: all are taken, or none. `warnings` go back to the sender.

    `silent` are the positions, from 0, of alerts of which nobody is told. `beside` are alerts that follow from these,
    and are taken with them: the sender hears nothing of them. `answer_ids` turns the ids of the alerts into those that
    the sender is told: of more alerts where some were taken before. `feedback` is taken with the alerts.
    """

    alerts: Sequence[Alert]
    warnings: tuple[str, ...] = ()
    is_batch: bool = False
    silent: frozenset[int] = frozenset()
    beside: tuple[Alert, ...] = ()
    answer_ids: Callable[[Sequence[int]], tuple[int, ...]] = tuple
    feedback: Feedback = NO_FEEDBACK


class Taker(Protocol):
    """Where submissions go in: the ingest, and whatever stands before it."""

    async def take(self, submission: Submission, claims: Sequence[Claim] = ()) -> Receipt:
        """Return the receipt once all alerts are durable. Raises JournalUnavailable."""


class Ingest:
    """The door that every intake goes through."""

    def __init__(
        self, *, store: AlertStore, ids: IdSource, clock: Clock, plan: MailPlan, on_accepted: Callable[[Severity], None]
    ) -> None:
        """`on_accepted` is called after each commit: there is new mail to send, of this severity at most."""
        self._store = store
        self._ids = ids
        self._clock = clock
        self._plan = plan
        self._on_accepted = on_accepted
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the intake has ended because the daemon shuts down."""
        return self._closed

    def close(self) -> None:
        """Take nothing from now on; what is being committed still is."""
        self._closed = True

    async def accept(self, alerts: Sequence[Alert]) -> Receipt:
        """Take these alerts and nothing else; see `take`."""
        return await self.take(Submission(alerts=alerts, is_batch=len(alerts) != 1))

    async def take(
        self,
        submission: Submission,
        claims: Sequence[Claim] = (),
        heartbeats: Sequence[HeartbeatRecord] = (),
    ) -> Receipt:
        """Return the receipt once all alerts are durable, and it is kept under each of the claims.

        `heartbeats` are what the same event changes in them. Raises JournalUnavailable when the journal cannot take
        all of it, or after `close`.
        """
        if self._closed:
            raise JournalUnavailable("the daemon is shutting down")
        # Before the first id is given: what the journal is asked here takes time, and ids sort by time.
        all_destinations = await self._all_destinations(submission)
        now = self._clock.now()
        now_ms = int(now.timestamp() * 1000)
        next_id = self._ids.next_id
        alerts = (*submission.alerts, *submission.beside)
        accepted = [AcceptedAlert(next_id(now_ms), now, alert) for alert in alerts]
        envelopes: list[Envelope] = []
        for alert, destinations in zip(accepted, all_destinations, strict=True):
            if not destinations.letterhead_ids:
                envelopes.append(self._kept(next_id(now_ms), alert, destinations.kept_under, now))
            envelopes += [self._envelope(next_id(now_ms), alert, number, now) for number in destinations.letterhead_ids]
        receipt = _receipt(submission, accepted, all_destinations)
        kept = [_kept(receipt, claim, now) for claim in claims]
        await self._store.accept(accepted, envelopes, kept, heartbeats, submission.feedback)
        if alerts:
            self._on_accepted(max((alert.severity for alert in alerts), key=_rank))
        return receipt

    async def _all_destinations(self, submission: Submission) -> list[Destinations]:
        """Return where each alert goes, in their order, those beside the others last."""
        book, silent = self._plan.address_book, submission.silent
        if not silent and not submission.beside:
            return [await book.destinations_of(alert) for alert in submission.alerts]
        destinations = [
            book.nowhere if position in silent else await book.destinations_of(alert)
            for position, alert in enumerate(submission.alerts)
        ]
        return destinations + [await book.destinations_of(alert) for alert in submission.beside]

    def _kept(self, number: int, accepted: AcceptedAlert, letterhead_id: int, now: datetime) -> Envelope:
        return replace(self._envelope(number, accepted, letterhead_id, now), state=EnvelopeState.KEPT)

    def _envelope(
        self,
        number: int,
        accepted: AcceptedAlert,
        letterhead_id: int,
        now: datetime,
    ) -> Envelope:
        return Envelope(
            id=number,
            alert_id=accepted.id,
            letterhead_id=letterhead_id,
            made_at=now,
            severity=accepted.alert.severity,
            due_at=now,
            usable_seconds=self._plan.usable_seconds(),
            running_seconds=self._plan.running_seconds(),
        )


def _receipt(
    submission: Submission, accepted: Sequence[AcceptedAlert], all_destinations: Sequence[Destinations]
) -> Receipt:
    ids = submission.answer_ids([alert.id for alert in accepted[: len(submission.alerts)]])
    told = [warning for destinations in all_destinations for warning in destinations.warnings]
    warnings = tuple(dict.fromkeys((*submission.warnings, *told))) if told else submission.warnings
    return Receipt(ids, warnings, submission.is_batch)


def _kept(receipt: Receipt, claim: Claim, at: datetime) -> KeptReceipt:
    """A claim on one of many alerts keeps what it alone would have been told."""
    if claim.position is None:
        return KeptReceipt(claim, receipt, at)
    return KeptReceipt(claim, Receipt(claim.ids_of(receipt.ids), receipt.warnings), at)


def _rank(severity: Severity) -> int:
    return severity.rank
