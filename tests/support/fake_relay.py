"""A relay without a network: its connections answer as the test says."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from app.delivery.connection import Connection, Following, SendResult
from app.delivery.opening import RelayFault
from app.domain.outcome import Deferred, Outcome, Reply, Scope
from app.domain.relay import parse_relay
from app.protocols.smtp.capabilities import Capabilities
from app.protocols.smtp.transaction import OutgoingMail
from tests.support.factories import AMBIGUOUS, RELAY_DOWN, SENT

RELAY = parse_relay("smtp://mx1.example.org")


TOO_MANY_SESSIONS = Deferred(Scope.RELAY, "the relay is closing its connections", Reply(421, "too many connections"))


class Stale:
    """The server closed the connection while it was idle."""


class DiesAtMail:
    """The server hangs up instead of answering MAIL."""


class Hang:
    """No reply comes until the test lets it, before or after the final dot; if it `stalls`, beyond all patience."""

    def __init__(self, *, past_final_dot: bool, stalls: bool = False) -> None:
        self.past_final_dot = past_final_dot
        self.stalls = stalls
        self.reached = asyncio.Event()
        self.reply = asyncio.Event()


Answer = Outcome | tuple[Outcome, ...] | Exception | Hang | type[Stale] | type[DiesAtMail]


class FakeConnection:
    """What the worker knows of a connection."""

    def __init__(self, relay: "FakeRelay") -> None:
        self._relay = relay
        self._ahead: OutgoingMail | None = None
        self.usable = True
        self.past_final_dot = False
        self.closed = False
        self.mails = 0
        self.capabilities = relay.capabilities

    @property
    def has_begun_ahead(self) -> bool:
        """Whether the next mail was taken already."""
        return self._ahead is not None

    async def send(self, mail: OutgoingMail, following: Following) -> SendResult:
        """Answer as the test says, else take the mail; with PIPELINING the next one is taken ahead of its answer."""
        ahead = mail is self._ahead
        self._ahead = None
        assert self.usable
        assert not self.closed
        answer = self._relay.answer_to(mail)
        if isinstance(answer, Exception):
            raise answer
        if answer is Stale:
            self.usable = False
            return SendResult((RELAY_DOWN,) * len(mail.recipients), stale=True)
        if answer is DiesAtMail:
            self.usable = False
            return SendResult((RELAY_DOWN,) * len(mail.recipients), died_at_mail=True)
        self._relay.mails.append(mail)
        self.mails += 1
        if self.capabilities.pipelining:
            self._ahead = following.take()
            self._relay.went_ahead += self._ahead is not None
        self.usable = self._relay.keeps_alive
        if isinstance(answer, Hang):
            await self._hang(answer, following)
            answer = SENT
        outcomes = answer if isinstance(answer, tuple) else (cast("Outcome", answer),) * len(mail.recipients)
        return SendResult(outcomes, mail_taken_up=True, ahead=ahead)

    async def _hang(self, hang: Hang, following: Following) -> None:
        self.past_final_dot = hang.past_final_dot
        if hang.stalls:
            self.usable = self.usable and self._ahead is None
            self._ahead = None
            following.relay_stalls()
        hang.reached.set()
        await hang.reply.wait()
        self.past_final_dot = False

    def abandon(self, reason: str) -> SendResult:
        """Tell what is known of a mail past its final dot."""
        assert self.past_final_dot
        recipients = self._relay.mails[-1].recipients
        return SendResult((Deferred(AMBIGUOUS.scope, reason, ambiguous=True),) * len(recipients))

    async def close(self) -> None:
        """Take its time, as a QUIT does."""
        self.closed = True
        self._relay.closing.set()
        await self._relay.may_close.wait()


class FakeRelay:
    """Makes connections, and keeps what was sent over them."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.answers_about: dict[bytes, deque[Answer]] = {}  # by what stands in a mail; they go before the others
        self.faults: deque[Deferred | None] = deque()  # why the next connections are not made; None: one is made
        self.keeps_alive = True  # False: it hangs up after each mail
        self.capabilities = Capabilities()
        self.mails: list[OutgoingMail] = []
        self.connections: list[FakeConnection] = []
        self.went_ahead = 0  # mails whose envelopes were taken behind the content of another
        self.most_sessions = 100  # at one time
        self.connects = 0
        self.connecting = 0  # just now
        self.pipelines = True  # whether the last connection was allowed to
        self.on_connect: Callable[[], None] = lambda: None
        self.closing = asyncio.Event()
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.may_connect = asyncio.Event()  # cleared: it greets nobody yet
        self.may_connect.set()

    def answer_to(self, mail: OutgoingMail) -> Answer:
        """Return how the relay answers this mail."""
        about = [answers for words, answers in self.answers_about.items() if words in mail.data and answers]
        answers = about[0] if about else self.answers
        return answers.popleft() if answers else SENT

    async def connect(self, may_pipeline: bool) -> Connection:
        """Return a connection that is ready, or raise RelayFault."""
        self.pipelines = may_pipeline
        self.connects += 1
        self.connecting += 1
        self.on_connect()
        try:
            await asyncio.sleep(0)
            await self.may_connect.wait()
        finally:
            self.connecting -= 1
        fault = self.faults.popleft() if self.faults else None
        if sum(not connection.closed for connection in self.connections) >= self.most_sessions:
            fault = TOO_MANY_SESSIONS
        if fault is not None:
            raise RelayFault(RELAY, fault)
        self.connections.append(FakeConnection(self))
        return cast("Connection", self.connections[-1])
