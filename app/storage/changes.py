"""What the writer commits: accepted alerts, verdicts of the sender, leases, and rare errands."""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from app.domain.alert import AcceptedAlert
from app.domain.envelope import Envelope, EnvelopeState
from app.domain.feedback import NO_FEEDBACK, Feedback
from app.domain.heartbeat import HeartbeatRecord
from app.domain.receipt import KeptReceipt
from app.domain.verdict import Verdict
from app.storage.acknowledgements import AckRow, ack_row, add_events
from app.storage.attachments import INSERT_PIECES, pieces_of
from app.storage.bounces import CLOSED_STATE
from app.storage.codec import encode_alert, encode_json, to_ms
from app.storage.heartbeats import PUT_HEARTBEAT, heartbeat_row
from app.storage.mailbox_record import ReadRow, note_reads, read_row
from app.storage.receipts import receipt_row
from app.storage.rows import Row, write_rows

INSERT_ALERTS = "INSERT INTO alerts (id, received_at, payload)"
INSERT_ENVELOPES = (
    "INSERT INTO envelopes (id, alert_id, letterhead_id, made_at, rank, usable_seconds, running_seconds, due_at, state,"
    " finished_at)"
)
# An older receipt under the same key has had its day.
INSERT_RECEIPTS = "INSERT OR REPLACE INTO receipts (key, digest, made_at, answer)"
UPDATE_ENVELOPES = f"""
UPDATE envelopes SET state = {CLOSED_STATE}, due_at = v.column3, finished_at = v.column4, ambiguous = v.column5,
    without_attachments = without_attachments | v.column6 FROM (
"""
UPDATE_ENVELOPES_WHERE = ") AS v WHERE envelopes.id = v.column1 AND envelopes.state = 0"
REPLACE_DELIVERIES = (
    "INSERT OR REPLACE INTO deliveries"
    " (envelope_id, position, state, attempts, last_attempt_at, relay, reply, reason, ambiguous, remote)"
)
KEEP_LEASED = "UPDATE meta SET value = ? WHERE name = 'leased'"
COUNT_OPEN = "UPDATE meta SET value = value + ? WHERE name = 'open'"

# Each kind of change says whether it `waits` for as long as the journal cannot be written, or fails.


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Alerts with the pieces of their attachments, their envelopes, receipts and heartbeats: all together or none.

    `opens` is how many of the envelopes wait. `reads` and `acknowledgements` are what mails in the mailbox have
    brought along.
    """

    waits: ClassVar[bool] = False
    alerts: Sequence[Row]
    pieces: Sequence[Row]
    envelopes: Sequence[Row]
    opens: int
    receipts: Sequence[Row] = ()
    heartbeats: Sequence[Row] = ()
    reads: Sequence[ReadRow] = ()
    acknowledgements: Sequence[AckRow] = ()


@dataclass(frozen=True, slots=True)
class Marking:
    """The outcome of an attempt. `closes`: 1 if it finished its envelope. An outcome that was seen is not forgotten."""

    waits: ClassVar[bool] = True
    envelope: Row
    deliveries: Sequence[Row]
    closes: int


@dataclass(frozen=True, slots=True)
class Lease:
    """Which envelopes may be under way, as a JSON array. Sending goes on while the journal cannot be written."""

    waits: ClassVar[bool] = True
    envelope_ids: str


@dataclass(frozen=True, slots=True)
class Errand:
    """Something rare that runs in the transaction; its result goes back to who asked."""

    waits: ClassVar[bool] = False
    run: Callable[[sqlite3.Connection], Any]


@dataclass(frozen=True, slots=True)
class Reopening:
    """An errand that opens envelopes again; its result is their ids."""

    waits: ClassVar[bool] = False
    run: Callable[[sqlite3.Connection], list[int]]


Change = Acceptance | Marking | Lease | Errand | Reopening


def acceptance_of(
    alerts: Sequence[AcceptedAlert],
    envelopes: Sequence[Envelope],
    receipts: Sequence[KeptReceipt] = (),
    heartbeats: Sequence[HeartbeatRecord] = (),
    feedback: Feedback = NO_FEEDBACK,
) -> Acceptance:
    """Return the change that takes the alerts and the mails made for them, and keeps what the sender is told.

    `heartbeats` are as the same event has left them, `feedback` what a mail that was read has brought along.
    """
    return Acceptance(
        alerts=[(a.id, to_ms(a.received_at), encode_alert(a.alert)) for a in alerts],
        pieces=[piece for a in alerts if a.alert.attachments for piece in pieces_of(a)],
        envelopes=[_envelope_row(envelope) for envelope in envelopes],
        opens=sum(envelope.state is EnvelopeState.OPEN for envelope in envelopes),
        receipts=[receipt_row(kept) for kept in receipts],
        heartbeats=[heartbeat_row(record) for record in heartbeats],
        reads=[read_row(read) for read in feedback.reads],
        acknowledgements=[ack_row(alert_id, event) for alert_id, event in feedback.acknowledgements],
    )


def _envelope_row(envelope: Envelope) -> Row:
    made_at = to_ms(envelope.made_at)
    return (
        envelope.id,
        envelope.alert_id,
        envelope.letterhead_id,
        made_at,
        envelope.severity.rank,
        envelope.usable_seconds,
        envelope.running_seconds,
        made_at if envelope.due_at is envelope.made_at else to_ms(envelope.due_at),
        envelope.state,
        None if envelope.state is EnvelopeState.OPEN else made_at,
    )


def marking_of(verdict: Verdict) -> Marking:
    """Return the change that an attempt makes to its envelope and the recipients that it touched."""
    finished = None if verdict.finished_at is None else to_ms(verdict.finished_at)
    due = to_ms(verdict.due_at)
    return Marking(
        envelope=(verdict.envelope_id, verdict.state, due, finished, verdict.ambiguous, verdict.without_attachments),
        deliveries=_delivery_rows(verdict),
        closes=0 if verdict.state is EnvelopeState.OPEN else 1,
    )


def _delivery_rows(verdict: Verdict) -> list[Row]:
    return [
        (
            verdict.envelope_id,
            delivery.position,
            delivery.state,
            delivery.attempts,
            to_ms(delivery.last_attempt_at or verdict.due_at),
            delivery.relay,
            delivery.reply,
            delivery.reason,
            delivery.ambiguous,
            delivery.remote,
        )
        for delivery in verdict.deliveries
    ]


def lease_of(envelope_ids: Collection[int]) -> Lease:
    """Return the change that notes just these envelopes as under way."""
    return Lease(encode_json(list(envelope_ids)))


def opened_by(change: Change, result: Any) -> int:
    """Return by how much the change, which gave `result`, raised the number of open envelopes."""
    match change:
        case Acceptance(opens=opens):
            return opens
        case Marking(closes=closes):
            return -closes
        case Reopening():
            return len(result)
        case _:
            return 0


def apply(connection: sqlite3.Connection, changes: Sequence[Change]) -> list[Any]:
    """Run the changes in the open transaction, the like together; return the result of each errand, which run last."""
    acceptances = [change for change in changes if isinstance(change, Acceptance)]
    markings = [change for change in changes if isinstance(change, Marking)]
    leases = [change for change in changes if isinstance(change, Lease)]
    write_rows(connection, INSERT_ALERTS, [row for change in acceptances for row in change.alerts])
    pieces = [row for change in acceptances for row in change.pieces]
    if pieces:
        connection.executemany(INSERT_PIECES, pieces)  # one by one: a batch may hold 64 MiB of them
    write_rows(connection, INSERT_ENVELOPES, [row for change in acceptances for row in change.envelopes])
    write_rows(connection, INSERT_RECEIPTS, [row for change in acceptances for row in change.receipts])
    heartbeats = [row for change in acceptances for row in change.heartbeats]
    if heartbeats:
        connection.executemany(PUT_HEARTBEAT, heartbeats)  # one by one: they are few, and bring up to 100 KiB along
    _take_feedback(connection, acceptances)
    # Recipients first: where a mail came back, their rows tell the state of an envelope that is closed.
    write_rows(connection, REPLACE_DELIVERIES, [row for change in markings for row in change.deliveries])
    write_rows(connection, UPDATE_ENVELOPES, [change.envelope for change in markings], after=UPDATE_ENVELOPES_WHERE)
    if leases:
        connection.execute(KEEP_LEASED, (leases[-1].envelope_ids,))
    results = [change.run(connection) if isinstance(change, Errand | Reopening) else None for change in changes]
    opened = sum(map(opened_by, changes, results))
    if opened:
        connection.execute(COUNT_OPEN, (opened,))
    return results


def _take_feedback(connection: sqlite3.Connection, acceptances: Sequence[Acceptance]) -> None:
    """Record what the mailbox has brought along; nearly always nothing."""
    for change in acceptances:
        if change.reads:
            note_reads(connection, change.reads)
        if change.acknowledgements:
            add_events(connection, change.acknowledgements)
