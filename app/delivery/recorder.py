"""Puts outcomes into the journal and the log, behind the sender's back: the next mail does not wait for a commit."""

import asyncio
from collections.abc import Callable

import structlog

from app.domain.envelope import Delivery, DeliveryState, EnvelopeState, QueuedMail
from app.domain.ids import format_id
from app.domain.ports import MailStore
from app.domain.verdict import Verdict
from app.pipeline.queue import MailQueue

log = structlog.get_logger()

# Mails whose outcome is not committed yet, beside the one that each worker has in hand. A crash sends just these
# twice, so there are few; fewer than one commit can hold would make the sender wait for the disk.
UNRECORDED = 64

EVENTS = {
    DeliveryState.SENT: "mail_sent",
    DeliveryState.PENDING: "mail_deferred",
    DeliveryState.REFUSED: "mail_refused",
    DeliveryState.EXPIRED: "mail_expired",
    DeliveryState.DROPPED: "mail_dropped",
    DeliveryState.BOUNCED: "mail_bounced",
    DeliveryState.DELAYED: "mail_delayed",
}


class Recorder:
    """Bounds what is unrecorded, and settles each envelope once its outcome is durable."""

    def __init__(
        self, *, store: MailStore, queue: MailQueue, on_recorded: Callable[[QueuedMail, Verdict], None]
    ) -> None:
        """Take outcomes at once. `on_recorded` is called with each verdict once it is durable."""
        self._store = store
        self._queue = queue
        self._on_recorded = on_recorded
        self._unrecorded = 0
        self._room = asyncio.Event()
        self._room.set()
        self.sent = 0  # mails of this run that somebody got
        self._log = structlog.get_logger().bind()  # bound once: it writes a line for every mail

    @property
    def has_room(self) -> bool:
        """Whether another outcome may be on its way to the journal."""
        return self._room.is_set()

    async def wait_for_room(self) -> None:
        """Wait until another outcome may be on its way to the journal."""
        await self._room.wait()

    def record(self, mail: QueuedMail, verdict: Verdict) -> None:
        """Record the verdict; logs one line per recipient that the attempt touched."""
        self._count(+1)
        task = asyncio.ensure_future(self._store.record(verdict))
        task.add_done_callback(lambda done: self._recorded(mail, verdict, done))
        for delivery in verdict.deliveries:
            self._log_outcome(mail, delivery)

    def _recorded(self, mail: QueuedMail, verdict: Verdict, done: "asyncio.Future[None]") -> None:
        self._count(-1)
        if done.cancelled():
            return
        if error := done.exception():
            # The envelope stays held, so it is not sent again by this run; the next start will try it.
            log.error("outcome_not_recorded", envelope=format_id(mail.envelope.id), exc_info=error)
            return
        self.sent += verdict.state in {EnvelopeState.SENT, EnvelopeState.PARTLY_SENT}
        self._queue.settle(mail.envelope.id, waits=verdict.state is EnvelopeState.OPEN)
        self._on_recorded(mail, verdict)

    def _count(self, change: int) -> None:
        self._unrecorded += change
        if self._unrecorded < UNRECORDED:
            self._room.set()
        else:
            self._room.clear()

    def _log_outcome(self, mail: QueuedMail, delivery: Delivery) -> None:
        level = self._log.info if delivery.state is DeliveryState.SENT else self._log.warning
        level(
            EVENTS[delivery.state],
            alert=format_id(mail.envelope.alert_id),
            envelope=format_id(mail.envelope.id),
            to=mail.letterhead.recipients[delivery.position].address,
            relay=delivery.relay,
            reply=delivery.reply,
            reason=delivery.reason,
            attempt=delivery.attempts,
            ambiguous=delivery.ambiguous,
        )
