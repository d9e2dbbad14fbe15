"""Builds the reading side: the poller of the mailbox with all that acts upon its mails, and the probes."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.delivery.direct import DirectSender
from app.domain.alarm import Alarm, RaiseAlarm
from app.domain.outcome import Outcome
from app.intake.mailbox import MailboxDoor, MailboxRules
from app.mail.message_id import MessageIds
from app.mail.probe import ProbePaper, probe_mail
from app.mail.sorting.sorter import MailSorter
from app.mailbox.handling import Desks, MailHandling
from app.mailbox.look import MailboxLook
from app.mailbox.opening import open_mailbox
from app.mailbox.poller import Poller
from app.mailbox.rules import PollRules
from app.pipeline.bounces import BounceDesk
from app.pipeline.held_alarms import HeldAlarms
from app.pipeline.probes import ProbeDesk, SendProbe
from app.protocols.smtp.transaction import OutgoingMail
from app.settings.mailbox import MailboxSetup
from app.settings.probe import ProbeSetup
from app.wiring.ground import Ground
from app.wiring.logins import mailbox_logins
from app.wiring.sending import dkim_signer
from app.wiring.taking import TakingHalf

Work = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSide:
    """The poller, and the probes; None where the settings leave them out."""

    poller: Poller | None = None
    probes: ProbeDesk | None = None

    def troubles(self) -> list[Alarm]:
        """Return an alarm for all that is wrong with the mailbox and the probes just now."""
        parts = (part for part in (self.poller, self.probes) if part is not None)
        return [alarm for part in parts for alarm in part.troubles()]

    def work(self) -> list[Work]:
        """Return what runs beside the service."""
        return [part.run for part in (self.poller, self.probes) if part is not None]


def reading_side(
    ground: Ground, taking: TakingHalf, direct: DirectSender, held: HeldAlarms, *, raise_alarm: RaiseAlarm
) -> ReadingSide:
    """Build it; nothing runs yet. Without a mailbox, and in the sandbox, there is none."""
    setup = ground.settings.mailbox_setup()
    if setup is None:
        return ReadingSide()
    watch = _MailboxWatch()
    probe_setup = ground.settings.probe_setup()
    probes = _probe_desk(ground, probe_setup, direct, watch) if probe_setup is not None else None
    bounces = BounceDesk(
        store=ground.journal.mailbox,
        set_aside=taking.set_aside,
        set_aside_after=setup.set_aside_after,
        raise_about=held.raise_about,
        raise_alarm=raise_alarm,
    )
    desks = Desks(
        bounces=bounces,
        acknowledgements=taking.acknowledgements,
        probes=probes,
        intake=_door(ground, taking) if setup.intake else None,
    )
    handling = _handling(ground, setup, desks, raise_alarm)
    watch.poller = _poller(ground, taking, setup, handling, probes)
    return ReadingSide(poller=watch.poller, probes=probes)


def standing_troubles(taking: TakingHalf, reading: ReadingSide) -> list[Alarm]:
    """Return an alarm for all that lasts on the reading side just now."""
    return [*reading.troubles(), *taking.set_aside.troubles()]


class _MailboxWatch:
    """What the probes want of the poller, which is built after them."""

    def __init__(self) -> None:
        self.poller: Poller | None = None

    def readable_for(self) -> timedelta | None:
        """Return for how long the mailbox has been looked at without a fault."""
        return self.poller.readable_for if self.poller is not None else None

    def hurry(self) -> None:
        """Have it look more often for a while."""
        if self.poller is not None:
            self.poller.hurry()


def _handling(ground: Ground, setup: MailboxSetup, desks: Desks, raise_alarm: RaiseAlarm) -> MailHandling:
    return MailHandling(
        desks,
        sorter=MailSorter(MessageIds(ground.journal.mac_key)),
        store=ground.journal.mailbox,
        clock=ground.clock,
        after=setup.after,
        raise_alarm=raise_alarm,
    )


def _door(ground: Ground, taking: TakingHalf) -> MailboxDoor:
    settings = ground.settings
    receivers = settings.all_receivers()
    rules = MailboxRules(
        receivers=[receiver.name for receiver in receivers],
        people=[mailbox.address for receiver in receivers for mailbox in receiver.recipients],
        attachments_limit=settings.http.attachments_limit,
        is_ours=MessageIds(ground.journal.mac_key).is_ours,
    )
    return MailboxDoor(taking.once, rules=rules, clock=ground.clock)


def _poller(
    ground: Ground, taking: TakingHalf, setup: MailboxSetup, handling: MailHandling, probes: ProbeDesk | None
) -> Poller:
    server, logins = setup.server, mailbox_logins(setup)
    rules = PollRules(
        max_bytes=setup.message_limit,
        from_beginning=setup.from_beginning,
        after=setup.after,
        move_to=setup.move_to,
    )
    return Poller(
        server.name,
        connect=lambda: open_mailbox(server, logins),
        look=MailboxLook(server.name, store=ground.journal.mailbox, handling=handling, rules=rules, clock=ground.clock),
        handling=handling,
        clock=ground.clock,
        every=setup.every,
        is_expecting=lambda: probes is not None and probes.is_expecting,
        is_closed=lambda: taking.ingest.closed,
    )


def _probe_desk(ground: Ground, setup: ProbeSetup, direct: DirectSender, watch: _MailboxWatch) -> ProbeDesk:
    return ProbeDesk(
        relays=direct.relays,
        send=_probe_sender(ground, setup, direct),
        ids=ground.ids,
        clock=ground.clock,
        every=setup.every,
        alarm_after=setup.alarm_after,
        readable_for=watch.readable_for,
        on_sent=watch.hurry,
    )


def _probe_sender(ground: Ground, setup: ProbeSetup, direct: DirectSender) -> SendProbe:
    settings, message_ids = ground.settings, MessageIds(ground.journal.mac_key)
    assert settings.mail_from is not None, "load_settings refuses to go on without a sender"
    sender = settings.mail_from
    paper = ProbePaper(server_name=settings.server_name, sender=sender, mailbox=setup.to, signer=dkim_signer(settings))

    async def send(relay: str, number: int) -> Sequence[Outcome]:
        token = message_ids.probe_token(number)
        data = probe_mail(paper, token=token, relay=relay, at=ground.clock.now())
        return await direct.send(relay, OutgoingMail(sender.address, (setup.to.address,), data, envelope_id=token))

    return send
