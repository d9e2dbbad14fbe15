"""Bounces in the journal: what a report on a mail that was handed over changes, in one transaction."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from app.domain.bounce import BounceEffect, BounceReport, BounceVerdict, judge_bounce
from app.domain.envelope import HANDED_OVER, Delivery, DeliveryState, EnvelopeState, QueuedMail, state_of
from app.domain.mail_read import AfterReading, MailRead
from app.storage.codec import to_ms
from app.storage.mailbox_record import note_reads, read_row
from app.storage.queue_reads import LetterheadCache, read_mails
from app.storage.set_aside import HardBounce, count_bounce

# `attempts` and the rest are of the relay, and stay.
MARK_DELIVERY = """
UPDATE deliveries SET state = :state, reason = :reason, reply = :reply, remote = :remote
WHERE envelope_id = :envelope_id AND position = :position
"""
# A finished mail becomes a dead letter now. One that is still open for others is closed by the sender.
MARK_ENVELOPE = f"""
UPDATE envelopes SET bounced = 1, state = :state, finished_at = iif(:state = {EnvelopeState.OPEN:d}, finished_at, :at)
WHERE id = :envelope_id
"""

_HANDED_OVER = ", ".join(f"'{state}'" for state in sorted(HANDED_OVER))
# The state of a mail that the sender closes as `column2`: what it holds in memory says of a recipient whose mail came
# back that it was sent. Then the rows of the recipients tell, by the rule of `state_of` (app/domain/envelope.py).
CLOSED_STATE = f"""
iif(envelopes.bounced AND v.column2 <> {EnvelopeState.OPEN:d},
    iif(EXISTS (SELECT 1 FROM deliveries AS d WHERE d.envelope_id = envelopes.id AND d.state IN ({_HANDED_OVER})),
        {EnvelopeState.PARTLY_SENT:d}, {EnvelopeState.FAILED:d}),
    v.column2)
"""


def take_bounce(
    connection: sqlite3.Connection,
    report: BounceReport,
    read: MailRead,
    *,
    set_aside_after: int,
    is_final: bool,
    letterheads: LetterheadCache,
) -> BounceEffect | None:
    """Record what the report changes and that it was read; None if the mail is not known.

    Nothing is recorded of one that comes too early, unless it is final.
    """
    mails = read_mails(connection, [report.envelope_id], letterheads)
    if not mails:
        note_reads(connection, [read_row(read)])
        return None
    verdict = judge_bounce(mails[0], report)
    if verdict.is_early and not is_final:
        return BounceEffect(mails[0], is_early=True, unplaced=verdict.unplaced)
    note_reads(connection, [read_row(replace(read, then=AfterReading.KEEP) if _is_open(verdict) else read)])
    if not verdict.touched:
        return BounceEffect(mails[0], is_early=verdict.is_early, unplaced=verdict.unplaced)
    mail = _after(mails[0], verdict)
    _write(connection, mail, verdict, read.at)
    counted = (
        count_bounce(connection, bounce, set_aside_after=set_aside_after) for bounce in _hard(mail, verdict, read.at)
    )
    return BounceEffect(
        mail,
        verdict.touched,
        counted_out=tuple(entry for entry in counted if entry is not None),
        is_early=verdict.is_early,
        unplaced=verdict.unplaced,
    )


def _is_open(verdict: BounceVerdict) -> bool:
    """Tell whether something of the report is left for a person, for whom it stays on the server."""
    return verdict.is_early or not (verdict.touched or verdict.is_repeated)


def _after(mail: QueuedMail, verdict: BounceVerdict) -> QueuedMail:
    touched = {delivery.position: delivery for delivery in verdict.touched}
    deliveries = tuple(touched.get(delivery.position, delivery) for delivery in mail.deliveries)
    return replace(mail, envelope=replace(mail.envelope, state=state_of(deliveries)), deliveries=deliveries)


def _write(connection: sqlite3.Connection, mail: QueuedMail, verdict: BounceVerdict, at: datetime) -> None:
    envelope = mail.envelope
    connection.executemany(MARK_DELIVERY, [_marking(envelope.id, delivery) for delivery in verdict.touched])
    if any(delivery.state is DeliveryState.BOUNCED for delivery in verdict.touched):
        connection.execute(MARK_ENVELOPE, {"envelope_id": envelope.id, "state": envelope.state, "at": to_ms(at)})


def _marking(envelope_id: int, delivery: Delivery) -> dict[str, str | int]:
    return {
        "envelope_id": envelope_id,
        "position": delivery.position,
        "state": delivery.state,
        "reason": delivery.reason,
        "reply": delivery.reply,
        "remote": delivery.remote,
    }


def _hard(mail: QueuedMail, verdict: BounceVerdict, at: datetime) -> Iterator[HardBounce]:
    for delivery in verdict.touched:
        if delivery.position in verdict.hard:
            address = mail.letterhead.recipients[delivery.position].address
            yield HardBounce(address, mail.envelope.id, at, delivery.reply)
