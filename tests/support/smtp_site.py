"""A guarded SMTP server in a loop of its own, its receiver, and what plain sockets say to it."""

import asyncio
import smtplib
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

from app.clock import SystemClock
from app.smtpd.access import Access
from app.smtpd.limits import SmtpLimits
from app.smtpd.mail import ReceivedMail
from app.smtpd.server import GuardedSmtpServer
from tests.support.background import HANG, BackgroundLoop

ENVELOPE = b"EHLO client\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"


class Inbox:
    """A receiver that keeps what it gets; `gate`, while unset, holds it up."""

    def __init__(self, fault: Exception | None = None, reply: str = "250 2.0.0 taken") -> None:
        self.mails: list[ReceivedMail] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._fault = fault
        self._reply = reply

    async def receive(self, mail: ReceivedMail) -> str:
        self.mails.append(mail)
        await self.gate.wait()
        if self._fault:
            raise self._fault
        return self._reply


class Site:
    """A server with its inbox, in a loop of its own."""

    def __init__(
        self, loop: BackgroundLoop, inbox: Inbox, limits: SmtpLimits | None = None, access: Access | None = None
    ) -> None:
        self.inbox = inbox
        self.loop = loop
        self.server = GuardedSmtpServer(
            inbox, clock=SystemClock(), hostname="mail.example.org", limits=limits, access=access
        )
        self.port = loop.run(self.server.start("127.0.0.1", 0))

    def connect(self) -> socket.socket:
        """Return a connection whose greeting is read."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=HANG)
        assert read_until(connection, b"\r\n").startswith(b"220 mail.example.org ")
        return connection

    def release(self) -> None:
        """Open the gate of the inbox."""
        self.loop.run(_called(self.inbox.gate.set))

    def drain(self) -> None:
        """Have the server turn clients away."""
        self.loop.run(_called(self.server.drain))

    def client(self) -> smtplib.SMTP:
        """Return a client of the standard library."""
        return smtplib.SMTP("127.0.0.1", self.port, timeout=HANG)


async def _called(function: Callable[[], object]) -> None:
    function()


Start = Callable[..., Site]
NewLoop = Callable[[], asyncio.AbstractEventLoop]


@contextmanager
def starting(new_loop: NewLoop) -> Iterator[Start]:
    """Yield a function that starts a server; all are stopped at the end."""
    sites: list[Site] = []
    with BackgroundLoop(new_loop) as loop:

        def run(inbox: Inbox | None = None, *, access: Access | None = None, **limits: object) -> Site:
            sites.append(Site(loop, inbox or Inbox(), SmtpLimits(**limits), access))
            return sites[-1]

        yield run
        for site in sites:
            loop.run(site.server.stop(deadline=timedelta(seconds=0.1)))


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """Return what the server says up to `end`, or up to its end of the connection."""
    said = b""
    while not said.endswith(end) and (more := connection.recv(65536)):
        said += more
    return said


def read_all(connection: socket.socket) -> bytes:
    """Return what the server says until it closes the connection."""
    said = b""
    try:
        while more := connection.recv(65536):
            said += more
    except ConnectionResetError:
        pass
    return said


def converse(site: Site, dialogue: bytes) -> list[str]:
    """Send `dialogue` in one piece with QUIT behind it, and return the reply lines."""
    with closing(site.connect()) as connection:
        connection.sendall(dialogue + b"QUIT\r\n")
        return read_all(connection).decode().splitlines()


def codes(lines: list[str]) -> list[str]:
    """Return the codes of the replies, one for each."""
    return [line[:3] for line in lines if line[3] == " "]


def flood(connection: socket.socket, block: bytes, total: int) -> int:
    """Send `block` over and over, `total` bytes in all, or until the server has had enough; return how much went."""
    sent = 0
    try:
        while sent < total:
            connection.sendall(block)
            sent += len(block)
    except OSError:
        pass
    return sent
