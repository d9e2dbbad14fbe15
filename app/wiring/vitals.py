"""Gathers how the parts are just now."""

from app.domain.vitals import Vitals
from app.wiring.ground import Ground
from app.wiring.reading import ReadingSide
from app.wiring.sending import SendingHalf
from app.wiring.taking import TakingHalf


def current_vitals(ground: Ground, taking: TakingHalf, sending: SendingHalf, reading: ReadingSide) -> Vitals:
    """Return the vitals; it reads memory only."""
    journal, relays = ground.journal, sending.relays
    return Vitals(
        closing=taking.ingest.closed,
        journal_fault=journal.fault,
        relay_fault=relays.last_reason,
        relays=relays.vitals(),
        queue_fault=sending.queue.fault or journal.quarantine,
        blocked_for=relays.blocked_for,
        queue_depth=journal.open_count,
        oldest_open_at=taking.upkeep.oldest_open_at,
        possibly_twice=journal.interrupted,
        mailbox=reading.poller.vitals() if reading.poller else None,
        probes=reading.probes.vitals() if reading.probes else (),
    )
