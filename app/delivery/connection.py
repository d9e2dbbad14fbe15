"""A connection to a relay: drives the sans-IO SMTP machines over a network stream."""

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

from app.delivery.opening import Approach, Session, open_session, say_goodbye
from app.domain.classify import CLOSING, over_size
from app.domain.errors import MailAlertError, ProtocolError
from app.domain.outcome import Outcome, Refused, Reply
from app.net.errors import StreamError, StreamTimeout
from app.net.tls import PeerCertificate
from app.protocols.smtp.capabilities import Capabilities
from app.protocols.smtp.dotstuff import encode_content
from app.protocols.smtp.reply import ServerReply
from app.protocols.smtp.transaction import OutgoingMail, Step, Transaction

BLOCK_BYTES = 64 * 1024  # content written at a time: what the transport buffers before it pauses us
# A relay that thinks about a mail for longer than this must not hold up the next one, which others could take.
PATIENCE_S = 5.0


class Following(Protocol):
    """The mail behind the one that is being sent."""

    def take(self) -> OutgoingMail | None:
        """Return the mail that send() is called with next, so that it can begin in the same flight; None: no such."""

    def relay_stalls(self) -> None:
        """Hear that the relay thinks about the mail before for long.

        What was taken will not leave over this connection; nothing of it has reached the relay.
        """


class NoFollowing:
    """There is no mail behind this one."""

    def take(self) -> OutgoingMail | None:
        """Return None."""
        return None

    def relay_stalls(self) -> None:
        """Do nothing about it."""


NO_FOLLOWING = NoFollowing()


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of one mail: an outcome per recipient, in the order of the mail.

    `stale`: the connection had been used before and died before the reply to MAIL, so nothing is charged;
    connect anew at once. `mail_taken_up`: MAIL was accepted, so what failed then may be this mail's fault.
    `sender_refusal`: MAIL was refused for good. `out_of_step`: the relay announced PIPELINING, and the
    dialogue broke in a way that it may not bear it. `ahead`: the envelope went out with the mail before.
    `unasked`: the relay was not asked, since what it has announced decides. `died_at_mail`: it hung up instead
    of answering MAIL.
    """

    outcomes: tuple[Outcome, ...]
    stale: bool = False
    mail_taken_up: bool = False
    sender_refusal: Reply | None = None
    out_of_step: bool = False
    ahead: bool = False
    unasked: bool = False
    died_at_mail: bool = False


class Connection:
    """A session with a relay. Make it with open().

    Where the relay has PIPELINING, the content of one mail and the envelope of the next go out in one flight
    (RFC 2920 section 3.1): one round trip a mail.
    """

    def __init__(self, approach: Approach, session: Session, capabilities: Capabilities) -> None:
        self.relay = approach.relay
        self.capabilities = capabilities
        self.mechanism = session.handshake.mechanism  # that logged in
        self.helo_name = session.helo_name
        self.mails = 0  # begun so far
        self._timeouts = approach.timeouts
        self._dialogue = session.dialogue
        self._stream = session.dialogue.stream
        self._time = asyncio.get_running_loop().time
        self._current: Transaction | None = None
        self._begun: tuple[OutgoingMail, Transaction] | None = None  # ahead of its turn
        self._out_of_turn = False  # a mail was begun that will not be sent here

    @classmethod
    async def open(cls, approach: Approach, *, may_pipeline: bool = True) -> "Connection":
        """Return a connection that is ready for mail. Raises RelayFault.

        Not `may_pipeline`: one command at a time, whatever the relay says that it can.
        """
        session = await open_session(approach)
        capabilities = session.handshake.capabilities
        if not may_pipeline:
            capabilities = replace(capabilities, pipelining=False)
        return cls(approach, session, capabilities)

    @property
    def usable(self) -> bool:
        """Whether another mail can be sent; a 421 or an end while idle makes it False."""
        return not self._out_of_turn and (self._begun is not None or self._dialogue.silent)

    @property
    def has_begun_ahead(self) -> bool:
        """Whether the envelope of the mail that is sent next has gone out already."""
        return self._begun is not None

    @property
    def past_final_dot(self) -> bool:
        """Whether a mail's final dot has gone out and its reply has not come, also after a cancelled send()."""
        transaction = self._current
        return transaction is not None and transaction.past_final_dot and not transaction.finished

    @property
    def certificate(self) -> PeerCertificate | None:
        """The relay's certificate; None in plaintext."""
        return self._stream.certificate

    @property
    def tls_version(self) -> str | None:
        """For example "TLSv1.3"; None in plaintext."""
        return self._stream.tls_version

    async def send(self, mail: OutgoingMail, following: Following = NO_FOLLOWING) -> SendResult:
        """Send one mail. Whatever the relay does is an outcome, never an exception.

        When cancelled it cuts the connection; abandon() then tells what is known.
        """
        if refusal := self._over_size(mail):
            return SendResult((refusal,) * len(mail.recipients), unasked=True)
        reused, ahead = self._current is not None, self._begun is not None
        transaction = self._begin(mail)
        if transaction.finished:  # without a word: no address of the mail can be sent to this relay
            return SendResult(transaction.outcomes(), unasked=True)
        self._current = transaction
        lost = out_of_step = False
        try:
            if not ahead:
                self._dialogue.say(transaction.start())
            await self._converse(transaction, mail, following)
            self._check_place(transaction)
        except (StreamError, ProtocolError) as error:
            lost = True
            confused = self.capabilities.pipelining and isinstance(error, ProtocolError)
            transaction.lost(_loss(transaction, error), confused=confused)
            out_of_step = self.capabilities.pipelining and _lost_step(transaction, error, ahead=ahead)
        finally:
            if not (transaction.finished and transaction.intact):
                self._stream.abort()
        return SendResult(
            transaction.outcomes(),
            stale=reused and not transaction.mail_answered,
            mail_taken_up=transaction.mail_taken_up,
            sender_refusal=transaction.sender_refusal,
            out_of_step=out_of_step,
            ahead=ahead,
            died_at_mail=lost and not transaction.mail_answered,
        )

    def abandon(self, reason: str) -> SendResult:
        """Return what is known of the mail whose send() was cancelled: ambiguous if past its final dot."""
        assert self._current is not None  # there was a send()
        self._current.lost(reason)
        return SendResult(self._current.outcomes())

    async def close(self) -> None:
        """Say QUIT if anybody listens, and close. Never raises."""
        if self._begun is not None or self._out_of_turn:
            self._stream.abort()  # the relay waits for a mail that will not come
        await say_goodbye(self._dialogue, self._time() + self._timeouts.quit_s)

    def _begin(self, mail: OutgoingMail) -> Transaction:
        """Return the transaction of the mail, which may be under way already."""
        begun, self._begun = self._begun, None
        if begun is not None:
            assert begun[0] is mail, "what was taken as the following mail is sent next"
            return begun[1]
        self.mails += 1
        before = self._current
        return Transaction(mail, self.capabilities, reset_first=before is not None and before.needs_reset)

    def _begin_ahead(self, following: Following) -> bytes:
        """Return the envelope of the following mail, to go out behind the content of this one; b"" for none."""
        mail = following.take() if self.capabilities.pipelining else None
        if mail is None or self._over_size(mail):
            return b""
        transaction = Transaction(mail, self.capabilities)
        if transaction.finished:
            return b""
        self.mails += 1
        self._begun = mail, transaction
        envelope = transaction.start()
        self._dialogue.show(envelope)
        return envelope

    async def _converse(self, transaction: Transaction, mail: OutgoingMail, following: Following) -> None:
        mail_deadline = self._time() + self._timeouts.mail_s
        while not transaction.finished:
            if transaction.step is Step.CONTENT:
                await self._send_content(transaction, mail, following, mail_deadline)
            if transaction.past_final_dot:
                reply: ServerReply | None = await self._verdict_on_content(following)
            else:
                reply = await self._dialogue.next_reply(min(self._time() + self._timeouts.command_s, mail_deadline))
            while reply is not None:
                reply = self._take(transaction, reply)

    def _check_place(self, transaction: Transaction) -> None:
        """Raise ProtocolError if more was said than asked: what was taken for a refusal was that of another command."""
        answered = transaction.intact and not transaction.past_final_dot
        more = self._dialogue.buffered_reply() if answered and self.capabilities.pipelining else None
        if more is None:
            return
        if more.code != CLOSING:
            raise ProtocolError(f"the relay announced PIPELINING and lost its place: {more.summary()}")
        self._stream.abort()  # it refused the mail, and closes

    async def _verdict_on_content(self, following: Following) -> ServerReply:
        deadline = self._time() + self._timeouts.final_dot_s
        try:
            return await self._dialogue.next_reply(min(deadline, self._time() + PATIENCE_S))
        except StreamTimeout:
            if self._begun is not None:
                self._begun = None
                self._out_of_turn = True
            following.relay_stalls()
        return await self._dialogue.next_reply(deadline)

    def _take(self, transaction: Transaction, reply: ServerReply) -> ServerReply | None:
        """Give `reply` to the transaction, and return the next one for it that has come already."""
        said = transaction.receive(reply)
        if said:
            self._dialogue.say(said)
        return None if transaction.finished else self._dialogue.buffered_reply()

    async def _send_content(
        self, transaction: Transaction, mail: OutgoingMail, following: Following, mail_deadline: float
    ) -> None:
        content = memoryview(encode_content(mail.data))
        self._dialogue.show_content(len(content))
        last_block_at = max(0, len(content) - BLOCK_BYTES)
        for start in range(0, last_block_at, BLOCK_BYTES):
            if not self._dialogue.silent:
                return
            self._stream.write(content[start : min(start + BLOCK_BYTES, last_block_at)])
            await self._stream.drain(min(self._time() + self._timeouts.block_s, mail_deadline))
        # A relay that answers or hangs up before the end gets no final dot: the mail is not taken for sure.
        if self._dialogue.silent:
            ahead = b"" if transaction.is_crowded else self._begin_ahead(following)
            transaction.final_dot_sent()
            self._stream.write(b"".join((content[last_block_at:], ahead)))

    def _over_size(self, mail: OutgoingMail) -> Refused | None:
        """Return the refusal of a mail that the relay has said not to take; None if it may."""
        size, limit = len(mail.data), self.capabilities.size_limit
        return None if limit is None or size <= limit else over_size(size, limit)


_AWAITED = {Step.CONTENT: "the content", Step.DOT: "the final dot", Step.LONE_DOT: "the final dot"}


def _loss(transaction: Transaction, error: MailAlertError) -> str:
    awaited = _AWAITED.get(transaction.step, transaction.step.name)
    if isinstance(error, StreamTimeout):
        return f"the relay did not answer {awaited} in time"
    return f"{error}, at {awaited}"


def _lost_step(transaction: Transaction, error: MailAlertError, *, ahead: bool) -> bool:
    """Tell whether the dialogue broke where a relay would that throws away what comes before it has answered."""
    if isinstance(error, ProtocolError):
        return not transaction.past_final_dot
    swallowed = ahead and not transaction.mail_answered and isinstance(error, StreamTimeout)
    return swallowed or transaction.lost_in_commands
