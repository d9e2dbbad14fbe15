"""One worker: takes mails from the queue and sends them over a connection that it keeps."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.delivery.connection import Connection, RelayFault
from app.delivery.link import RelayLink
from app.delivery.recorder import Recorder
from app.domain.envelope import QueuedMail
from app.domain.ids import format_id
from app.domain.outcome import Deferred, Outcome, Scope
from app.domain.ports import Clock
from app.domain.verdict import Attempt, is_uncharged, judge
from app.pipeline.queue import MailQueue
from app.protocols.smtp.transaction import OutgoingMail

log = structlog.get_logger()

IDLE_CLOSE = timedelta(seconds=10)  # servers drop idle clients; RFC 5321 section 4.5.3.2.7 asks them to wait 5 min

CUT_OFF = "the daemon was stopped before the relay confirmed the mail; it is sent again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every worker of a sender works with."""

    queue: MailQueue
    link: RelayLink
    recorder: Recorder
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
            elif await self._tools.link.admitted():
                await self._deliver(mail)
            else:
                queue.abandon()
        await self._hang_up()

    async def _deliver(self, mail: QueuedMail) -> None:
        await self._tools.recorder.room()
        self._tools.queue.begin(mail.envelope.id)
        try:
            outcomes = await self._outcomes(mail)
        except RelayFault as fault:
            self._tools.link.trip(fault.outcome)
            self._tools.queue.put_back(mail)
            return
        except Exception:  # the top of the worker: a poisoned mail must not stop the rest
            log.exception("mail_failed", envelope=format_id(mail.envelope.id))
            outcomes = [Deferred(Scope.MESSAGE, "the mail could not be made; the log says why")] * len(mail.pending)
            self._tools.link.untried()
        else:
            self._tell_link(outcomes)
        self._settle(mail, outcomes)
        await self._drop_unusable()  # behind the verdict: what is seen must be noted, even if this is cancelled

    async def _outcomes(self, mail: QueuedMail) -> Sequence[Outcome]:
        recipients = mail.letterhead.recipients
        outgoing = OutgoingMail(
            sender=mail.letterhead.sender.address,
            recipients=tuple(recipients[delivery.position].address for delivery in mail.pending),
            data=self._tools.render(mail),
        )
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
        return result.outcomes

    async def _ready_connection(self) -> Connection:
        await self._drop_unusable()
        if self._connection is None:
            self._connection = await self._tools.link.connect()
        return self._connection

    def _tell_link(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Deferred) and is_uncharged(outcome):
                self._tools.link.trip(outcome)
                return
        self._tools.link.works()

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
            tools.recorder.record(mail, verdict)

    async def _drop_unusable(self) -> None:
        if self._connection is not None and not self._connection.usable:
            await self._hang_up()

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
