"""One worker: takes mails from the queue and has them brought to the relay of its link."""

import asyncio
from datetime import timedelta

import structlog

from app.delivery.addressees import Addressees, addressees
from app.delivery.courier import BROKEN_ATTEMPT, Courier
from app.delivery.link import RelayLink, Turn
from app.delivery.opening import RelayFault
from app.delivery.parcel import Parcel
from app.delivery.tools import Tools
from app.domain.envelope import QueuedMail
from app.domain.ids import format_id
from app.domain.outcome import Deferred, Scope
from app.domain.verdict import recipients_to_try
from app.protocols.smtp.transaction import OutgoingMail

log = structlog.get_logger()

IDLE_CLOSE = timedelta(seconds=10)  # servers drop idle clients; RFC 5321 section 4.5.3.2.7 asks them to wait 5 min

UNRENDERED = Deferred(Scope.MESSAGE, "the mail could not be made; the log says why")


class Worker:
    """Sends one mail at a time, the envelope of the next ahead of it. Workers share the queue and the link."""

    def __init__(self, tools: Tools, link: RelayLink, *, number: int) -> None:
        """`number` counts the workers of the link from 0."""
        self._tools = tools
        self._link = link
        self._number = number
        self._courier = Courier(tools, link, number=number)
        self._ahead: tuple[Parcel, OutgoingMail] | None = None
        self._under_way = 0  # the envelope whose mail is being sent, not the one ahead of its turn
        self.probing = False

    @property
    def past_final_dot(self) -> bool:
        """Whether a mail has been handed over in full and its reply is not there yet."""
        return self._courier.past_final_dot

    async def run(self) -> None:
        """Work until the queue is finished, or nothing more can leave over this relay."""
        while not self._tools.queue.finished:
            if not self._link.wants(self._number):  # a session kept for later is one that others may not have
                await self._courier.hang_up()
            turn = await self._link.turn(self._number)
            if turn is Turn.END:
                break
            await (self._probe() if turn is Turn.PROBE else self._work())
        await self._courier.hang_up()

    async def _probe(self) -> None:
        """Open a session, without a mail that would have to wait for it."""
        self.probing = True
        try:
            await self._courier.probe()
        except RelayFault as fault:
            self._link.probe_failed(fault.outcome)
        except asyncio.CancelledError:  # the relay is neither back nor broken anew
            self._link.probe_abandoned()
            raise
        except Exception:  # a fault of ours must not stop the sender either
            log.exception("probe_failed", relay=self._link.name)
            self._link.probe_failed(BROKEN_ATTEMPT)
        else:
            self._link.recovered()
        finally:
            self.probing = False

    async def _work(self) -> None:
        tools = self._tools
        mail = await tools.queue.take(within=IDLE_CLOSE, lane=self._link.name)
        if mail is None:
            return await self._courier.hang_up()
        if not self._link.may_send(self._number):  # things have changed while it waited
            return tools.queue.put_back(mail)
        await tools.recorder.wait_for_room()
        if mail.carries_attachments:
            await self._deliver_heavy(mail)
        elif (parcel := self._packed(mail)) is not None:
            await self._deliver(parcel)
        return await self._deliver_ahead()

    async def _deliver_heavy(self, mail: QueuedMail) -> None:
        """Send a mail with attachments. It is rendered off the event loop: to encode and sign 10 MiB takes time."""
        tools = self._tools
        to = self._addressees(mail)
        if to is None:
            return None
        try:
            whole = mail.with_attachments(await tools.attachments(mail.accepted.id))
            parcel = self._parcel(mail, to, await asyncio.to_thread(tools.render, whole))
        except Exception as error:  # noqa: BLE001 - neither unreadable pieces nor a poisoned mail must stop the rest
            return self._cannot_be_made(mail, error)
        return await self._deliver(parcel)

    async def _deliver_ahead(self) -> None:
        """Send the mails whose envelopes went out ahead, one behind the other."""
        tools = self._tools
        while self._ahead is not None:
            (parcel, begun), self._ahead = self._ahead, None
            if not self._link.may_send(self._number) or tools.queue.finished:
                tools.queue.put_back(parcel.mail)
                return await self._courier.hang_up()
            await tools.recorder.wait_for_room()
            await self._deliver(parcel, begun)
        return None

    async def _deliver(self, parcel: Parcel, begun: OutgoingMail | None = None) -> None:
        self._under_way = parcel.mail.envelope.id
        await self._courier.deliver(parcel, following=self, begun=begun)

    # What a connection calls `following`

    def take(self) -> OutgoingMail | None:
        """Return the next mail, to go ahead over this connection; None if there is none at hand."""
        tools = self._tools
        if not (self._courier.takes_another and self._link.record.bears_overlap and tools.recorder.has_room):
            return None
        # Not one with attachments, whose data has to be fetched first.
        mail = tools.queue.take_now(heavy_too=False) if self._link.may_send(self._number) else None
        parcel = self._packed(mail) if mail else None
        if parcel is None:
            return None
        self._ahead = parcel, parcel.next_transaction(self._courier.most_recipients())
        return self._ahead[1]

    def relay_stalls(self) -> None:
        """Let others have the mail that was taken, and send what waits meanwhile."""
        self._link.stalled(self._number)
        self._tools.queue.free_heavy_place(self._under_way)
        if self._ahead is not None:
            (parcel, _), self._ahead = self._ahead, None
            self._tools.queue.put_back(parcel.mail)

    # Packing

    def _packed(self, mail: QueuedMail) -> Parcel | None:
        """Return the mail rendered; None if nobody is to have it.

        None, too, if that fails, and then it waits like any other that is deferred.
        """
        to = self._addressees(mail)
        if to is None:
            return None
        try:
            return self._parcel(mail, to, self._tools.render(mail))
        except Exception as error:  # noqa: BLE001 - a poisoned mail must not stop the rest
            self._cannot_be_made(mail, error)
            return None

    def _addressees(self, mail: QueuedMail) -> Addressees | None:
        """Begin an attempt, and return to whom it goes; a mail that nobody is to have is settled, and it is None."""
        tools = self._tools
        tools.queue.begin(mail.envelope.id)
        turn = mail.pending if tools.queue.draining else recipients_to_try(mail, tools.clock.now())
        to = addressees(mail, turn, tools.is_set_aside)
        if to.asked:
            return to
        self._courier.settle(mail, to.refused)
        return None

    def _parcel(self, mail: QueuedMail, to: Addressees, data: bytes) -> Parcel:
        tools = self._tools
        self._link.begin_mail()
        return Parcel(mail, to, data=data, envelope_id=tools.envelope_id(mail), return_path=tools.return_path)

    def _cannot_be_made(self, mail: QueuedMail, error: Exception) -> None:
        log.error("mail_not_rendered", envelope=format_id(mail.envelope.id), exc_info=error)
        self._courier.settle(mail, {delivery.position: UNRENDERED for delivery in mail.pending})
