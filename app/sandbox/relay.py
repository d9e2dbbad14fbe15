"""The sandbox's relay: takes every mail of the daemon by real SMTP, and keeps it on this machine."""

from app.domain.ports import Clock
from app.domain.relay import Relay, Security
from app.sandbox.store import SandboxStore
from app.smtpd.limits import SmtpLimits
from app.smtpd.mail import ReceivedMail
from app.smtpd.server import GuardedSmtpServer

HOST = "127.0.0.1"
LIMITS = SmtpLimits(
    message_bytes=33_554_432,  # above what an alert with all its attachments can become
    connections=8,  # the sender's pool has a handful; with the above it bounds the memory to 256 MiB
    held_bytes=8 * 33_554_432 * 3 // 2,  # a third is kept for small mails, and none of ours may be crowded out
)


class SandboxRelay:
    """An SMTP server on a free loopback port whose mails `store` holds."""

    def __init__(self, *, clock: Clock) -> None:
        self.store = SandboxStore()
        self._server = GuardedSmtpServer(self, clock=clock, hostname="localhost", limits=LIMITS)

    async def start(self) -> Relay:
        """Listen, and return the relay that the sender is to use. Raises OSError."""
        port = await self._server.start(HOST, 0)
        return Relay(name="sandbox", host=HOST, port=port, security=Security.OPPORTUNISTIC)

    async def stop(self) -> None:
        """End all sessions and stop listening."""
        await self._server.stop()

    async def receive(self, mail: ReceivedMail) -> str:
        """Keep `mail`."""
        kept = self.store.add(mail)
        return f"250 2.0.0 Kept as sandbox mail {kept.number}"
