"""Builds the parts from a post to the journal, and what looks after the journal."""

from dataclasses import dataclass

from app.delivery.relays import Relays
from app.domain.address import Mailbox
from app.domain.envelope import Letterhead
from app.mail.templates import load_templates
from app.pipeline.address_book import AddressBook
from app.pipeline.ingest import Ingest, MailPlan
from app.pipeline.once import Once
from app.pipeline.queue import MailQueue
from app.pipeline.upkeep import Upkeep
from app.settings.model import Settings
from app.wiring.ground import Ground


@dataclass(frozen=True, slots=True, kw_only=True)
class TakingHalf:
    """The parts from a post to the journal. `alarm_ingest` is the door for the system's own mails about itself."""

    ingest: Ingest
    once: Once
    alarm_ingest: Ingest | None
    upkeep: Upkeep


async def taking_half(ground: Ground, queue: MailQueue, relays: Relays) -> TakingHalf:
    """Build them. Raises JournalUnavailable when a changed letterhead cannot be kept."""
    settings = ground.settings
    letterhead = letterhead_of(settings)
    recipients = settings.alarm_recipients()
    alarm_ingest = None
    if recipients:
        alarm_ingest = await _ingest(ground, queue, relays, letterhead_of(settings, alarm_to=recipients))
    upkeep = Upkeep(
        store=ground.journal,
        clock=ground.steady,
        retention=settings.retention,
        usable_seconds=relays.usable_seconds,
        running_seconds=ground.running.seconds,
    )
    ingest = await _ingest(ground, queue, relays, letterhead)
    once = Once(ingest=ingest, receipts=ground.journal, clock=ground.steady)
    return TakingHalf(ingest=ingest, once=once, alarm_ingest=alarm_ingest, upkeep=upkeep)


async def _ingest(ground: Ground, queue: MailQueue, relays: Relays, letterhead: Letterhead) -> Ingest:
    plan = MailPlan(
        address_book=AddressBook(letterhead_id=await ground.journal.keep(letterhead)),
        usable_seconds=relays.usable_seconds,
        running_seconds=ground.running.seconds,
    )
    return Ingest(store=ground.journal, ids=ground.ids, clock=ground.clock, plan=plan, on_accepted=queue.wake)


def letterhead_of(settings: Settings, *, alarm_to: tuple[Mailbox, ...] = ()) -> Letterhead:
    """Return what the settings put into every mail; with `alarm_to` into every alarm."""
    assert settings.mail_from is not None, "load_settings refuses to go on without a sender"
    return Letterhead(
        server_name=settings.server_name,
        sender=settings.mail_from,
        recipients=alarm_to or settings.mail_to,
        templates=load_templates(settings.templates_dir),
        is_alarm=bool(alarm_to),
    )
