"""The courier: brings one mail to the relay, in as many transactions as it takes, and settles what came of it."""

import asyncio
import random
from collections.abc import Mapping

import structlog

from app.delivery.connection import Connection, Following, SendResult
from app.delivery.link import RelayLink, StillBroken
from app.delivery.opening import RelayFault
from app.delivery.parcel import Parcel
from app.delivery.tools import Tools
from app.domain.envelope import QueuedMail
from app.domain.ids import format_id
from app.domain.outcome import Deferred, Outcome, Scope
from app.domain.verdict import Attempt, is_uncharged, judge
from app.protocols.smtp.transaction import OutgoingMail

log = structlog.get_logger()

BROKEN_ATTEMPT = Deferred(Scope.RELAY, "the attempt failed here; the log says why")
CUT_OFF = "the daemon was stopped before the relay confirmed the mail; it is sent again"
NOT_REACHED = Deferred(Scope.RELAY, "the relay failed before it came to this recipient")


class _Last:
    """Lets no mail go ahead: this one needs another transaction yet."""

    def __init__(self, following: Following) -> None:
        self.relay_stalls = following.relay_stalls

    def take(self) -> OutgoingMail | None:
        return None


class Courier:
    """Keeps one connection to the relay of its link."""

    def __init__(self, tools: Tools, link: RelayLink, *, number: int) -> None:
        """Connect nothing before there is a mail. `number` is the worker's."""
        self._tools = tools
        self._link = link
        self._number = number
        self._connection: Connection | None = None

    @property
    def past_final_dot(self) -> bool:
        """Whether a mail has been handed over in full and its reply is not there yet."""
        return self._connection is not None and self._connection.past_final_dot

    @property
    def takes_another(self) -> bool:
        """Whether one more mail may go over the connection that there is."""
        return self._connection is not None and not self._is_worn(self._connection)

    async def probe(self) -> None:
        """Open a session to a relay that was broken. Raises RelayFault."""
        await self.hang_up()
        await self._open(is_probe=True)

    async def deliver(self, parcel: Parcel, following: Following, *, begun: OutgoingMail | None = None) -> None:
        """Send the mail and settle what came of it. `begun` is its first transaction, where that went out ahead."""
        epoch = self._link.epoch
        self._tools.relays.trying()
        try:
            await self._send_all(parcel, following, begun, epoch)
        except RelayFault as fault:
            if not self._link.turned_away(fault.outcome):
                self._link.trip(fault.outcome, epoch)
            parcel.fail(fault.outcome)
        except StillBroken as broken:
            parcel.fail(broken.fault)
        except asyncio.CancelledError:
            self._settle_cut_off(parcel)
            raise
        except Exception:  # the top of the courier: a mail that fails must not stop the rest
            log.exception("sending_failed", envelope=format_id(parcel.mail.envelope.id))
            parcel.fail(BROKEN_ATTEMPT)
            parcel.is_suspect = True
        finally:
            self._link.resumed(self._number)
        outcomes: Mapping[int, Outcome] = parcel.outcomes
        if parcel.is_suspect:
            outcomes = self._tools.suspects.charge_if_due(parcel.mail.envelope.id, outcomes)
        self.settle(parcel.mail, outcomes)
        # Behind the verdict: what is seen must be noted, even if this is cancelled.
        await self._drop_unusable()

    async def _send_all(self, parcel: Parcel, following: Following, begun: OutgoingMail | None, epoch: int) -> None:
        """Send transaction after transaction."""
        while True:
            outgoing = begun or parcel.next_transaction(self.most_recipients(await self._ready_connection()))
            begun = None
            result = await self._send(outgoing, following if parcel.is_complete else _Last(following))
            if not self._note(parcel, result, epoch):
                parcel.fail_rest(NOT_REACHED)
            if parcel.is_complete:
                return

    async def _send(self, outgoing: OutgoingMail, following: Following) -> SendResult:
        result = await (await self._ready_connection()).send(outgoing, following)
        if not result.stale:
            return result
        # The server closed it while it was idle, or behind the mail before: again at once, free of charge.
        if result.out_of_step:
            self._link.record.note_lost_step(ahead=result.ahead)
        await self.hang_up()
        return await (await self._ready_connection()).send(outgoing, following)

    def _note(self, parcel: Parcel, result: SendResult, epoch: int) -> bool:
        """Tell the link and the parcel what came of a transaction; return whether another may follow."""
        link = self._link
        refuses_senders = link.record.note_sender(result)
        outcomes = [refuses_senders] * len(result.outcomes) if refuses_senders else result.outcomes
        parcel.is_suspect |= result.mail_taken_up or result.died_at_mail
        again = parcel.is_answered
        taken = parcel.note(outcomes)
        if taken is not None:
            link.takes_recipients(taken)
        if result.out_of_step:
            link.record.note_lost_step(ahead=result.ahead)
        fault = next((outcome for outcome in outcomes if isinstance(outcome, Deferred) and is_uncharged(outcome)), None)
        if fault is not None:
            link.trip(fault, epoch)
            return False
        if not result.unasked:
            link.answered(result, epoch, again=again)
        if any(not isinstance(outcome, Deferred) for outcome in outcomes):
            self._tools.relays.mail_left()
        return True

    def _settle_cut_off(self, parcel: Parcel) -> None:
        """Note what is known of a mail that was cut off: the relay may have taken it, so the journal must know."""
        if self._connection is not None and self._connection.past_final_dot:
            parcel.note(self._connection.abandon(CUT_OFF).outcomes)
        if parcel.outcomes:
            parcel.fail_rest(NOT_REACHED)
            self.settle(parcel.mail, parcel.outcomes)

    def settle(self, mail: QueuedMail, outcomes: Mapping[int, Outcome]) -> None:
        """Have recorded what the outcomes change; a mail for which nothing is charged goes back to the queue."""
        tools = self._tools
        attempt = Attempt(
            relay=self._link.name,
            at=tools.clock.now(),
            usable_seconds=tools.relays.usable_seconds(),
            running_seconds=tools.running_seconds(),
            lifetime=tools.lifetime_of(mail.envelope.severity),
            random=random.random(),  # noqa: S311 - jitter: what was deferred together must not come back together
        )
        verdict = judge(mail, outcomes, attempt)
        if verdict is None:
            tools.queue.put_back(mail)
        else:
            tools.suspects.clear(mail.envelope.id)
            tools.recorder.record(mail, verdict)

    # The connection

    def most_recipients(self, connection: Connection | None = None) -> int:
        """Return how many recipients one transaction may have."""
        connection = connection or self._connection
        if connection is None:
            return self._link.most_recipients
        told = connection.capabilities.max_recipients
        return self._link.most_recipients if told is None else min(told, self._link.most_recipients)

    def _is_worn(self, connection: Connection) -> bool:
        """Whether the connection has had as many mails as it should."""
        told = connection.capabilities.max_mails
        most = self._link.policy.mails_per_connection
        return connection.mails >= (most if told is None else min(told, most))

    async def _ready_connection(self) -> Connection:
        await self._drop_unusable()
        return self._connection or await self._open()

    async def _open(self, *, is_probe: bool = False) -> Connection:
        self._connection = await self._link.connect(is_probe=is_probe)
        self._link.opened(self._number)
        return self._connection

    async def _drop_unusable(self) -> None:
        connection = self._connection
        if connection is None:
            return
        is_worn = self._is_worn(connection) and not connection.has_begun_ahead
        if is_worn or not connection.usable:
            await self.hang_up()

    async def hang_up(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._link.closed(self._number)
            await connection.close()
