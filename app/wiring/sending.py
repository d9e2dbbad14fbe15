"""Builds the parts from the queue to the relays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.delivery.connection import Connection
from app.delivery.expiry import Expiry
from app.delivery.link import Connect, RelayLink
from app.delivery.opening import Approach
from app.delivery.recorder import Recorder
from app.delivery.relays import Relays
from app.delivery.sender import Sender
from app.delivery.suspects import Suspects
from app.delivery.tools import Tools
from app.domain.alarm_causes import failure_alarm
from app.domain.envelope import QueuedMail
from app.domain.verdict import Verdict
from app.mail.compose import Composer
from app.mail.dkim import DkimSigner
from app.pipeline.held_alarms import HeldAlarms
from app.pipeline.queue import MailQueue
from app.settings.model import Settings
from app.wiring.ground import Ground
from app.wiring.logins import logins_of
from app.wiring.taking import TakingHalf

HEAVY_AT_ONCE = 2  # mails with attachments in memory: each is there three times, as data, as mail and on its way


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingHalf:
    """The parts from the queue to the relays."""

    queue: MailQueue
    relays: Relays
    recorder: Recorder
    sender: Sender
    expiry: Expiry


def mail_queue(ground: Ground) -> MailQueue:
    """Build the queue."""
    connections = [setup.policy.connections for setup in ground.relays]
    return MailQueue(store=ground.journal, clock=ground.steady, most_heavy=most_heavy(connections))


def most_heavy(connections: Sequence[int]) -> int:
    """Return how many mails with attachments are sent at once: never all connections of a relay, if it has several."""
    return max(1, min(HEAVY_AT_ONCE, min(connections) - 1))


def all_approaches(ground: Ground, *, helo_name: str | None) -> tuple[Approach, ...]:
    """Return how each relay is approached. Whoever sends shares them, and with them tokens that are to be renewed."""
    return tuple(Approach(relay=setup.relay, logins=logins_of(setup), helo_name=helo_name) for setup in ground.relays)


def all_relays(ground: Ground, approaches: Sequence[Approach]) -> Relays:
    """Build the links to the relays; nothing is connected yet."""
    links = [
        RelayLink(name=setup.relay.name, policy=setup.policy, connect=_connector(approach), clock=ground.steady)
        for setup, approach in zip(ground.relays, approaches, strict=True)
    ]
    return Relays(links, clock=ground.steady, usable_seconds=ground.journal.usable_seconds)


def mail_composer(ground: Ground) -> Composer:
    """Build what makes mails."""
    return Composer(mac_key=ground.journal.mac_key, signer=dkim_signer(ground.settings))


def sending_half(
    ground: Ground, queue: MailQueue, relays: Relays, taking: TakingHalf, composer: Composer, held: HeldAlarms
) -> SendingHalf:
    """Build them; nothing runs yet."""
    journal, clock = ground.journal, ground.steady
    recorder = Recorder(store=journal, queue=queue, on_recorded=_alarm_raiser(held))
    tools = Tools(
        queue=queue,
        relays=relays,
        recorder=recorder,
        suspects=Suspects(),
        render=composer.render,
        envelope_id=composer.envelope_id,
        return_path=composer.return_path,
        is_set_aside=taking.set_aside.includes,
        attachments=journal.attachments,
        clock=clock,
        lifetime_of=ground.settings.lifetime_of,
        running_seconds=ground.running.seconds,
    )
    expiry = Expiry(store=journal, queue=queue, recorder=recorder, clock=clock, running_seconds=ground.running.seconds)
    return SendingHalf(queue=queue, relays=relays, recorder=recorder, sender=Sender(tools), expiry=expiry)


def _connector(approach: Approach) -> Connect:
    async def connect(may_pipeline: bool) -> Connection:
        return await Connection.open(approach, may_pipeline=may_pipeline)

    return connect


def _alarm_raiser(held: HeldAlarms) -> Callable[[QueuedMail, Verdict], None]:
    def on_recorded(mail: QueuedMail, verdict: Verdict) -> None:
        alarm = failure_alarm(mail, verdict)
        if alarm is not None:
            held.raise_about(mail.envelope.alert_id, alarm)

    return on_recorded


def dkim_signer(settings: Settings) -> DkimSigner | None:
    """Return what signs the mails; None if they are not signed. Raises ConfigurationError."""
    setup = settings.dkim_setup()
    return DkimSigner(setup.domain, setup.selector, setup.key) if setup else None
