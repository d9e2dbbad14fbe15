"""The blocking end of an IMAP session: imaplib, with an end to every wait and a bound to every answer."""

import imaplib
import logging
import socket
import ssl
import time
from ipaddress import ip_address
from typing import Any

from imapclient import IMAPClient

from app.domain.errors import ProtocolError
from app.net.errors import CertificateRejected, StreamClosed, StreamTimeout, TlsFailed
from app.net.reach import error_words
from app.net.tls import certificate_fault
from app.protocols.sasl import LoginExchange

MAX_LINE = 1_000_000  # bytes; RFC 9051 sets no limit, and a list of all uids is one line
PIECE = 256 * 1024  # bytes: the most of a mail that is asked for at once, so no literal is larger
MAX_ANSWER = 2 * MAX_LINE  # bytes, to any command but one that fetches pieces of mails
_RECEIVE = 64 * 1024  # bytes


class ImapLink(imaplib.IMAP4):
    """One connection, used by one thread.

    imaplib reads through a file without an end to its waits, and keeps whatever comes. The methods that it
    documents for subclasses are its only way to the network, and all are replaced here.
    """

    literal: Any  # what goes out behind the next command: bytes, or what answers each challenge

    def __init__(self, sock: socket.socket, host: str, *, context: ssl.SSLContext | None, greeting_s: float) -> None:
        """Read the greeting; under TLS from the first byte if there is a `context`. Raises as every method does.

        That is imaplib's error and abort, ProtocolError, and the StreamErrors.
        """
        self.sock = sock
        self.is_encrypted = False
        self.is_idle = False
        self._context = context
        self._unread = bytearray()
        self._has_news = False
        self._count = 0  # of the mails in the folder, as far as the server told
        self.allow(wait_s=greeting_s)
        super().__init__(host)

    def allow(self, *, wait_s: float, total_s: float | None = None, max_bytes: int = MAX_ANSWER) -> None:
        """Bound what follows: each wait, all waits together (`wait_s` if not given), and the bytes that come."""
        self._wait_s = wait_s
        self._ends_at = time.monotonic() + (wait_s if total_s is None else total_s)
        self._budget_bytes = max_bytes

    @property
    def is_loopback(self) -> bool:
        """Whether the link does not leave this machine: the connected peer counts, whatever its name."""
        return ip_address(self.sock.getpeername()[0].partition("%")[0]).is_loopback

    # What follows is called by imaplib.

    def open(self, host: str = "", _port: int = 0, _timeout: float | None = None) -> None:
        """Take the connection that was made before: to the address of the host that answered first."""
        self.host = host
        try:
            if self._context is not None:
                self._encrypt(self._context)
        except BaseException:
            self.shutdown()
            raise

    def read(self, size: int) -> bytes:
        """Return the literal of this size. Raises ProtocolError for one that nobody asked for."""
        if size > PIECE:
            raise ProtocolError(f"the server sends {size} bytes where at most {PIECE} were asked for")
        while len(self._unread) < size:
            self._receive()
        return self._take(size)

    def readline(self) -> bytes:
        """Return the next line with its end."""
        looked_at = 0
        while (end := self._unread.find(b"\n", looked_at)) < 0:
            looked_at = len(self._unread)
            if looked_at > MAX_LINE:
                raise ProtocolError(f"the server sends a line of more than {MAX_LINE} bytes")
            self._receive()
        return self._take(end + 1)

    def send(self, data: bytes) -> None:  # type: ignore[override]  # imaplib takes any buffer, and sends bytes
        """Send `data`."""
        try:
            self.sock.settimeout(self._remaining_s())
            self.sock.sendall(data)
        except TimeoutError as error:
            raise StreamTimeout("the server does not read") from error
        except OSError as error:
            raise StreamClosed(f"the connection broke: {error_words(error)}") from error

    def shutdown(self) -> None:
        """Close the connection."""
        self.sock.close()

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:
        """Encrypt the link (RFC 9051 section 6.2.1), with the server verified as `host`."""
        assert ssl_context is not None
        answer = self._simple_command("STARTTLS")
        if answer[0] == "OK":
            # Whatever came in the clear behind the answer may have been slipped in (CVE-2011-0411).
            if self._unread:
                raise ProtocolError("the server spoke in plaintext where TLS must begin")
            self._encrypt(ssl_context)
            self._get_capabilities()
        return answer

    # Commands that neither library has, or not for every password.

    def authenticate_by(self, exchange: LoginExchange) -> None:
        """Log in by SASL (RFC 9051 section 6.2.2). Raises imaplib's error when it is refused."""
        exchange.first()
        self._exchange = exchange
        self.literal = self._respond
        self._logged_in(self._simple_command("AUTHENTICATE", exchange.mechanism.name))

    def log_in(self, username: str, password: str) -> None:
        """Log in by LOGIN (RFC 9051 section 6.2.3). Raises imaplib's error when it is refused."""
        name = username.replace("\\", "\\\\").replace('"', '\\"')
        # As a literal: no quoted string may hold a password that is not ASCII.
        self.literal = password.encode()
        self._logged_in(self._simple_command("LOGIN", f'"{name}"'.encode()))

    def begin_idle(self) -> bool:
        """Have the server tell of new mail as it comes (RFC 2177); return whether something lies here already."""
        self._idle_tag = self._command("IDLE")
        while self._get_response() is not None:  # None is what imaplib gives for a continuation
            answer: Any = self.tagged_commands[self._idle_tag]
            if answer:
                raise self.error(_text(answer[1]))
        self.is_idle = True
        return self._has_input or self._has_news

    def end_idle(self) -> None:
        """Stop that; what was told is in take_news()."""
        self.is_idle = False
        self.send(b"DONE\r\n")
        self._command_complete("IDLE", self._idle_tag)

    def take_news(self) -> bool:
        """Return whether the server has told of new mail since the last time."""
        news, self._has_news = self._has_news, False
        return news

    def forget_untagged(self) -> None:
        """Forget what the server told beside its last answer: imaplib keeps all of it, and some servers chatter."""
        self.untagged_responses.clear()

    @property
    def _has_input(self) -> bool:
        return bool(self._unread) or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0)

    def _append_untagged(self, typ: str, dat: Any) -> None:
        """Keep what the server tells, as imaplib does; seen here in order, which imaplib forgets."""
        if typ == "EXISTS":
            # RFC 9051 section 7.4.1: some say it again now and then, with the number that is known.
            count = int(dat)
            self._has_news = self._has_news or count != self._count
            self._count = count
        elif typ == "EXPUNGE":
            self._count -= 1
        super()._append_untagged(typ, dat)  # type: ignore[misc]  # not in its stub

    def _respond(self, challenge: bytes) -> bytes:
        return self._exchange.answer((challenge or b"").decode(errors="replace")).encode()

    def _logged_in(self, answer: tuple[str, list[bytes]]) -> None:
        if answer[0] != "OK":
            raise self.error(_text(answer[1]))
        self.state = "AUTH"

    def _receive(self) -> None:
        try:
            self.sock.settimeout(self._remaining_s())
            data = self.sock.recv(_RECEIVE)
        except TimeoutError as error:
            raise StreamTimeout("the server does not answer") from error
        except OSError as error:
            raise StreamClosed(f"the connection broke: {error_words(error)}") from error
        if not data:
            raise StreamClosed("the server closed the connection")
        self._budget_bytes -= len(data)
        if self._budget_bytes < 0:
            raise ProtocolError("the server sends far more than it was asked for")
        self._unread += data

    def _take(self, size: int) -> bytes:
        data = bytes(self._unread[:size])
        del self._unread[:size]
        return data

    def _remaining_s(self) -> float:
        remaining_s = min(self._wait_s, self._ends_at - time.monotonic())
        if remaining_s <= 0:
            raise TimeoutError
        return remaining_s

    def _encrypt(self, context: ssl.SSLContext) -> None:
        try:
            self.sock.settimeout(self._remaining_s())
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.do_handshake()  # the time-out bounds all of it
        except ssl.SSLCertVerificationError as error:
            raise CertificateRejected(certificate_fault(error)) from error
        except TimeoutError as error:
            raise TlsFailed("TLS did not start in time") from error
        except OSError as error:  # ssl.SSLError is one
            raise TlsFailed(f"TLS failed: {error_words(error)}") from error
        self.is_encrypted = True


class LinkedClient(IMAPClient):
    """IMAPClient over a link that is open."""

    def __init__(self, link: ImapLink) -> None:
        self._link = link
        super().__init__(link.host, ssl=False)
        link.debug = 0  # IMAPClient writes every line out for a log that nobody reads
        # It warns of every answer that is not ASCII, and repeats it.
        logging.getLogger("imapclient").setLevel(logging.ERROR)

    def _create_IMAP4(self) -> ImapLink:  # noqa: N802 - IMAPClient's own name
        return self._link


def _text(said: list[bytes]) -> str:
    return b" ".join(said).decode(errors="replace")
