"""A TCP or TLS link whose every wait has a deadline."""

import asyncio
import ssl
from ipaddress import ip_address
from typing import cast

from app.net.errors import (
    CertificateRejected,
    ConnectFailed,
    StreamClosed,
    StreamTimeout,
    TlsFailed,
)
from app.net.reach import Resolve, error_words, reach, resolve_by_system
from app.net.tls import PeerCertificate, certificate_fault, peer_certificate

MAX_UNREAD = 256 * 1024  # bytes; a peer that floods waits in its own buffers


class Stream(asyncio.Protocol):
    """One link, used by one task. Deadlines are points on the clock of the event loop.

    Built on asyncio's transports: a StreamReader would cost two more wake-ups and a timer for each wait.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._unread: list[bytes] = []
        self._unread_bytes = 0
        self._reading_paused = False
        self._writing_paused = False
        self._at_end = False  # the peer sends no more
        self._lost = False  # the transport is gone
        self._broken_by: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    @classmethod
    async def connect(cls, host: str, port: int, *, timeout_s: float, resolve: Resolve = resolve_by_system) -> "Stream":
        """Return a link to the address of `host` that answers first. Raises ConnectFailed."""
        sock = await reach(host, port, timeout_s=timeout_s, resolve=resolve)
        try:
            _, stream = await asyncio.get_running_loop().create_connection(cls, sock=sock)
        except BaseException:  # a cancelled attempt must not leave its socket open
            sock.close()
            raise
        if stream._transport.get_extra_info("peername") is None:  # noqa: SLF001 - its own
            stream.abort()
            raise ConnectFailed(f"cannot connect: {host} port {port} hung up at once")
        return stream

    @property
    def has_input(self) -> bool:
        """Whether read() would return soon: with bytes, or with the end, which the transport knows a turn before."""
        return bool(self._unread) or self._at_end or self._transport.is_closing()

    @property
    def peer_address(self) -> str:
        """The address that is connected, whatever name was asked for."""
        return cast("str", self._transport.get_extra_info("peername")[0])

    @property
    def peer_is_loopback(self) -> bool:
        """Whether the link does not leave this machine."""
        return ip_address(self.peer_address).is_loopback

    @property
    def local_address(self) -> str:
        """The address of this end."""
        return cast("str", self._transport.get_extra_info("sockname")[0])

    @property
    def tls_version(self) -> str | None:
        """For example "TLSv1.3"; None on a link in plaintext."""
        tls = self._transport.get_extra_info("ssl_object")
        return tls.version() if tls else None

    @property
    def certificate(self) -> PeerCertificate | None:
        """The peer's certificate; None on a link in plaintext."""
        fields = self._transport.get_extra_info("peercert")
        return peer_certificate(fields) if fields else None

    async def read(self, deadline: float) -> bytes:
        """Return what has come, at least one byte. Raises StreamClosed or StreamTimeout."""
        while not self._unread:
            if self._at_end:
                raise StreamClosed(_why_closed(self._broken_by))
            await self._wait(deadline)
        data = self._unread[0] if len(self._unread) == 1 else b"".join(self._unread)
        self._unread.clear()
        self._unread_bytes = 0
        if self._reading_paused and not self._at_end:
            self._reading_paused = False
            self._transport.resume_reading()
        return data

    def write(self, data: bytes | memoryview) -> None:
        """Send `data`; on a link that is gone it is dropped, and the next read() tells."""
        if not self._at_end:
            self._transport.write(data)

    async def drain(self, deadline: float) -> None:
        """Wait until more may be written, or there is something to read. Raises StreamTimeout."""
        while self._writing_paused and not self.has_input:
            await self._wait(deadline)

    async def start_tls(self, context: ssl.SSLContext, *, server_name: str, timeout_s: float) -> None:
        """Encrypt the link, with the peer verified as `server_name`. Raises TlsFailed.

        What came in plaintext must have been read before: it would look as if it had come encrypted.
        """
        assert not self.has_input
        try:
            async with asyncio.timeout(timeout_s):
                transport = await self._loop.start_tls(self._transport, self, context, server_hostname=server_name)
        except ssl.SSLCertVerificationError as error:
            raise CertificateRejected(certificate_fault(error)) from error
        except TimeoutError as error:
            raise TlsFailed(f"TLS did not start within {timeout_s:g} s") from error
        except OSError as error:  # ssl.SSLError is one
            raise TlsFailed(f"TLS failed: {error_words(error)}") from error
        if transport is None:
            raise TlsFailed("TLS failed: the peer closed the connection")
        self._transport = transport

    def abort(self) -> None:
        """Cut the link now; nothing that is still in a buffer goes out."""
        self._at_end = True
        self._transport.abort()

    async def close(self, deadline: float) -> None:
        """Let what was written go out, then close. Never raises: at the deadline the link is cut."""
        self._transport.close()
        try:
            while not self._lost:
                await self._wait(deadline)
        except StreamTimeout:
            pass
        finally:
            self.abort()

    async def _wait(self, deadline: float) -> None:
        # One timer is moved along rather than one made per wait: waits are many, timeouts are rare.
        self._deadline = deadline
        if self._timer is None or deadline < self._timer_at:
            self._arm_timer()
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _arm_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._deadline
        self._timer = self._loop.call_at(self._timer_at, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() >= self._deadline:
            self._waiter.set_exception(StreamTimeout("the peer does not answer"))
        else:
            self._arm_timer()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What follows is called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Keep what came for read()."""
        self._unread.append(data)
        self._unread_bytes += len(data)
        if self._unread_bytes > MAX_UNREAD and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Note the end; the transport then closes by itself."""
        self._at_end = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end, and why."""
        self._at_end = self._lost = True
        self._broken_by = exc
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()

    def pause_writing(self) -> None:
        """Make drain() wait."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """Let drain() go on."""
        self._writing_paused = False
        self._wake()


def _why_closed(error: Exception | None) -> str:
    return f"the connection broke: {error_words(error)}" if error else "the peer closed the connection"
