"""One worker: takes mails from the queue and sends them over a connection that it keeps."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.delivery.connection import Connection, RelayFault, SendResult
from app.delivery.link import RelayLink
from app.delivery.recorder import Recorder
from app.delivery.suspects import Suspects
from app.domain.envelope import QueuedMail
from app.domain.ids import format_id
from app.domain.outcome import Deferred, Outcome, Scope
from app.domain.ports import Clock
from app.domain.verdict import Attempt, is_uncharged, judge
from app.pipeline.queue import MailQueue
from app.protocols.smtp.transaction import OutgoingMail

log = structlog.get_logger()

IDLE_CLOSE = timedelta(seconds=10)  # servers drop idle clients; RFC 5321 section 4.5.3.2.7 asks them to wait 5 min

UNRENDERED = Deferred(Scope.MESSAGE, "the mail could not be made; the log says why")
BROKEN_ATTEMPT = Deferred(Scope.RELAY, "the attempt failed here; the log says why")
REFUSES_SENDERS = "the relay refuses the sender of every mail; set mail_from to what this account may send as"
CUT_OFF = "the daemon was stopped before the relay confirmed the mail; it is sent again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every worker of a sender works with."""

    queue: MailQueue
    link: RelayLink
    recorder: Recorder
    suspects: Suspects
    render: Callable[[QueuedMail], bytes]
    clock: Clock
    lifetime: timedelta


class Worker:
    """Sends one mail at a time. Several workers share the queue, the link and the recorder."""

    def __init__(self, tools: Tools) -> None:
        """Connect nothing before there is a mail."""
        self._tools = tools
        self._connection: Connection | None = None

    @property
    def past_final_dot(self) -> bool:
        """Whether a mail has been handed over in full and its reply is not there yet."""
        return self._connection is not None and self._connection.past_final_dot

    async def run(self) -> None:
        """Work until the queue is finished."""
        queue = self._tools.queue
        while not queue.finished:
            mail = await queue.take(within=IDLE_CLOSE)
            if mail is None:
                await self._hang_up()
                continue
            ticket = await self._tools.link.admitted()
            if ticket is None:
                queue.abandon()
            else:
                await self._deliver(mail, ticket)
        await self._hang_up()

    async def _deliver(self, mail: QueuedMail, ticket: int) -> None:
        tools = self._tools
        await tools.recorder.wait_for_room()
        tools.queue.begin(mail.envelope.id)
        outgoing = self._outgoing(mail)
        if outgoing is None:
            tools.link.untried(ticket)
            return self._settle(mail, [UNRENDERED] * len(mail.pending))
        try:
            result = await self._send(mail, outgoing)
        except RelayFault as fault:
            tools.link.trip(fault.outcome, ticket)
            return tools.queue.put_back(mail)
        except Exception:  # the top of the worker: one that fails must not stop the rest
            log.exception("sending_failed", envelope=format_id(mail.envelope.id))
            result = SendResult((BROKEN_ATTEMPT,) * len(mail.pending), mail_taken_up=True)
        outcomes = self._weighed(result)
        self._tell_link(outcomes, ticket)
        self._settle(mail, tools.suspects.charged(mail.envelope.id, outcomes) if result.mail_taken_up else outcomes)
        # Behind the verdict: what is seen must be noted, even if this is cancelled.
        return await self._drop_unusable()

    def _outgoing(self, mail: QueuedMail) -> OutgoingMail | None:
        recipients = mail.letterhead.recipients
        try:
            return OutgoingMail(
                sender=mail.letterhead.sender.address,
                recipients=tuple(recipients[delivery.position].address for delivery in mail.pending),
                data=self._tools.render(mail),
            )
        except Exception:  # a poisoned mail must not stop the rest
            log.exception("mail_not_rendered", envelope=format_id(mail.envelope.id))
            return None

    async def _send(self, mail: QueuedMail, outgoing: OutgoingMail) -> SendResult:
        connection = await self._ready_connection()
        try:
            result = await connection.send(outgoing)
            if result.stale:  # the server closed it while it was idle: reconnect at once, free of charge
                await self._hang_up()
                connection = await self._ready_connection()
                result = await connection.send(outgoing)
        except asyncio.CancelledError:
            if connection.past_final_dot:  # the relay may have taken it, so the journal must know
                self._settle(mail, connection.abandon(CUT_OFF).outcomes)
            raise
        return result

    def _weighed(self, result: SendResult) -> Sequence[Outcome]:
        """Return the outcomes; a relay that refuses every sender is at fault itself."""
        if not self._tools.link.refuses_every_sender(result.sender_refusal):
            return result.outcomes
        return [Deferred(Scope.RELAY, REFUSES_SENDERS, result.sender_refusal)] * len(result.outcomes)

    async def _ready_connection(self) -> Connection:
        await self._drop_unusable()
        if self._connection is None:
            self._connection = await self._tools.link.connect()
        return self._connection

    def _tell_link(self, outcomes: Sequence[Outcome], ticket: int) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Deferred) and is_uncharged(outcome):
                self._tools.link.trip(outcome, ticket)
                return
        self._tools.link.works(outcomes)

    def _settle(self, mail: QueuedMail, outcomes: Sequence[Outcome]) -> None:
        tools = self._tools
        attempt = Attempt(
            relay=tools.link.name,
            at=tools.clock.now(),
            usable_seconds=tools.link.usable_seconds(),
            lifetime=tools.lifetime,
            random=random.random(),  # noqa: S311 - jitter: what was deferred together must not come back together
        )
        verdict = judge(mail, outcomes, attempt)
        if verdict is None:
            tools.queue.put_back(mail)
        else:
            tools.suspects.clear(mail.envelope.id)
            tools.recorder.record(mail, verdict)

    async def _drop_unusable(self) -> None:
        if self._connection is not None and not self._connection.usable:
            await self._hang_up()

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
