"""Builds the parts from a post to the journal, and what looks after the journal."""

from dataclasses import dataclass, replace

from app.delivery.relays import Relays
from app.domain.envelope import Letterhead
from app.domain.receiver import DEFAULT_RECEIVER, Receiver
from app.mail.templates import load_templates
from app.pipeline.acknowledgements import Acknowledgements
from app.pipeline.address_book import AddressBook, Entry, Keep, PeopleNamed
from app.pipeline.heartbeats import HeartbeatDesk
from app.pipeline.ingest import Ingest, MailPlan
from app.pipeline.once import Once
from app.pipeline.queue import MailQueue
from app.pipeline.set_aside import SetAside
from app.pipeline.upkeep import Upkeep
from app.settings.model import Settings
from app.wiring.ground import Ground
from app.wiring.heartbeats import door_of, heartbeat_desk


@dataclass(frozen=True, slots=True, kw_only=True)
class TakingHalf:
    """The parts from a post to the journal. `alarm_ingest` is the door for the system's own mails about itself."""

    ingest: Ingest
    once: Once
    heartbeats: HeartbeatDesk
    alarm_ingest: Ingest | None
    upkeep: Upkeep
    acknowledgements: Acknowledgements
    set_aside: SetAside


async def taking_half(ground: Ground, queue: MailQueue, relays: Relays) -> TakingHalf:
    """Build them. Raises JournalUnavailable when a changed letterhead cannot be kept."""
    settings, journal = ground.settings, ground.journal

    def ingest_by(address_book: AddressBook) -> Ingest:
        plan = MailPlan(
            address_book=address_book,
            usable_seconds=relays.usable_seconds,
            running_seconds=ground.running.seconds,
        )
        return Ingest(store=journal, ids=ground.ids, clock=ground.clock, plan=plan, on_accepted=queue.wake)

    ingest = ingest_by(await _address_book(settings, journal.keep))
    heartbeats = await heartbeat_desk(ground, ingest)
    alarm_letterhead = letterhead_of_alarms(settings)
    upkeep = Upkeep(
        store=journal,
        clock=ground.steady,
        retention=settings.retention,
        usable_seconds=relays.usable_seconds,
        running_seconds=ground.running.seconds,
    )
    return TakingHalf(
        ingest=ingest,
        once=Once(ingest=door_of(ingest, heartbeats), receipts=journal, clock=ground.steady),
        heartbeats=heartbeats,
        alarm_ingest=ingest_by(AddressBook.of_one(await journal.keep(alarm_letterhead))) if alarm_letterhead else None,
        upkeep=upkeep,
        acknowledgements=await _acknowledgements(ground, ingest),
        set_aside=await _set_aside(ground),
    )


async def _acknowledgements(ground: Ground, ingest: Ingest) -> Acknowledgements:
    """Build what takes them by every door, with all that the journal knows."""
    setup = ground.settings.mailbox_setup()
    acknowledgements = Acknowledgements(
        store=ground.journal,
        take=ingest,
        clock=ground.clock,
        ack_from=setup.ack_from if setup else None,
        confirms=setup is not None and setup.confirm,
    )
    await acknowledgements.load()
    return acknowledgements


async def _set_aside(ground: Ground) -> SetAside:
    set_aside = SetAside(ground.journal.mailbox)
    await set_aside.load()
    return set_aside


async def _address_book(settings: Settings, keep: Keep) -> AddressBook:
    receivers = {
        receiver.name: Entry(receiver, await keep(letterhead_of(settings, receiver)))
        for receiver in settings.all_receivers()
    }
    nobody = Receiver(name=DEFAULT_RECEIVER)
    letterhead = letterhead_of(settings, nobody)
    return AddressBook(
        receivers=receivers,
        kept_under=await keep(letterhead),
        people=PeopleNamed(letterhead=letterhead, keep=keep),
        root=settings.route_tree(),
    )


def letterhead_of(settings: Settings, receiver: Receiver | None = None) -> Letterhead:
    """Return what the settings put into every mail to the receiver; without one, to the default receiver."""
    assert settings.mail_from is not None, "load_settings refuses to go on without a sender"
    receiver = receiver or settings.default_receiver()
    mailbox = settings.mailbox_setup()
    bounces_to = (mailbox.reply_address or settings.mail_from).address if mailbox and mailbox.verp else ""
    return Letterhead(
        server_name=settings.server_name,
        sender=settings.mail_from,
        recipients=receiver.recipients,
        templates=load_templates(settings.templates_dir),
        cc_count=len(receiver.cc),
        bcc_count=len(receiver.bcc),
        reply_to=receiver.reply_to,
        receiver="" if receiver.name == DEFAULT_RECEIVER else receiver.name,
        reply_address=mailbox.reply_address if mailbox else None,
        verp=bounces_to,
        takes_answers=mailbox is not None,
    )


def letterheads_of(settings: Settings) -> tuple[Letterhead, ...]:
    """Return the letterheads of all receivers, that of the default one first."""
    default = settings.default_receiver()
    others = (receiver for receiver in settings.all_receivers() if receiver != default)
    return tuple(letterhead_of(settings, receiver) for receiver in (default, *others))


def letterhead_of_alarms(settings: Settings) -> Letterhead | None:
    """Return what the settings put into every alarm of the system itself; None if nobody gets them by mail."""
    receiver = settings.alarm_receiver()
    return (
        None
        if receiver is None
        else replace(letterhead_of(settings, receiver), receiver="", is_alarm=True, takes_answers=False)
    )
