"""One client's SMTP session: the commands of aiosmtpd with the gaps in their dialogue closed, and logins."""

import asyncio
import re

import structlog
from aiosmtpd.smtp import Envelope, syntax

from app.domain.access import Principal
from app.smtpd.budget import Holding
from app.smtpd.connection import GuardedConnection, Phase, Site
from app.smtpd.mail import ReceivedMail
from app.smtpd.message import MessageCollector
from app.smtpd.passwords import ExchangeRefused, challenge_line, exchange_of
from app.smtpd.sessions import SHUTTING_DOWN

log = structlog.get_logger()

PIECE = 65_536  # bytes of a message read at once
MAX_OVERRUN = 67_108_864  # an honest client sends its mail to the end, a hostile one never ends
MAX_FAILED_LOGINS = 3  # of one connection; a person who mistypes has configured no client yet
NULL_PATH = "<>"  # how aiosmtpd writes the null reverse-path
CLOSING = "421"
# A page in somebody's browser can post to any port, and so a mail in the lines of the post (RFC 9110 section 9; each
# request has the line Host, RFC 9112 section 3.2). Only names that are no commands of SMTP.
WORDS_OF_HTTP = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "HOST:")

# A path, its angle brackets forgiven when missing; an obsolete source route is dropped (RFC 5321
# appendix C). No control characters, no bytes that are not UTF-8: an address ends up in headers.
_PATH = re.compile(
    r"<(?:@[^\s<>:]*:)?(?P<path>(?:\"[^\"\x00-\x1f\x7f\ud800-\udfff]*\")?[^\s<>\"\x00-\x1f\x7f\ud800-\udfff]*)>"
    r"|(?P<bare>[^\s<>\"\x00-\x1f\x7f\ud800-\udfff]+)(?=\s|$)"
)
_AUTH_PARAMETER = re.compile(r"\s+AUTH=\S*(?=\s|$)", re.IGNORECASE)


class GuardedSession(GuardedConnection):
    """The commands of one client."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._smtp_methods |= dict.fromkeys(WORDS_OF_HTTP, self._refuse_http)
        self._principal: Principal | None = None
        self._failed_logins = 0

    async def _refuse_http(self, _arg: str | None) -> None:
        log.warning("smtp_client_speaks_http", peer=self.peer)
        await self._end_with("421 4.7.0 This is no HTTP server")

    @syntax("STARTTLS")
    async def smtp_STARTTLS(self, arg: str | None) -> None:  # noqa: N802 - named by aiosmtpd
        """Go over to TLS (RFC 3207)."""
        if self.site.access.tls is None or self.is_encrypted:
            await self.push("503 5.5.1 TLS is in use" if self.is_encrypted else "502 5.5.1 TLS is not offered")
        elif arg:
            await self.push("501 5.5.4 Syntax: STARTTLS")
        else:
            self._principal = None
            await self._start_tls()

    @syntax("AUTH <mechanism>")
    async def smtp_AUTH(self, arg: str | None) -> None:  # noqa: N802 - named by aiosmtpd
        """Take a password (RFC 4954). The user is not looked at: a password is a token, and a token has a name."""
        if await self.check_helo_needed("EHLO"):
            return
        refusal = self._login_refusal()
        if refusal:
            await self.push(refusal)
            return
        try:
            password = await self._password(arg or "")
        except ExchangeRefused as refused:
            await self.push(refused.reply)
        else:
            await self._log_in(password)

    def _login_refusal(self) -> str:
        """Return why there can be no login now, "" if there can."""
        access = self.site.access
        if access.logins is None:
            return "502 5.5.1 Authentication is not offered"
        if not access.offers_login(self.peer, is_encrypted=self.is_encrypted):
            return "538 5.7.11 Encryption required: use STARTTLS first"
        if self._principal is not None or (self.envelope is not None and self.envelope.mail_from):
            return "503 5.5.1 Not now"  # RFC 4954 section 4
        return ""

    async def _password(self, argument: str) -> bytes:
        exchange = exchange_of(argument)
        try:
            challenge = next(exchange)
            while True:
                await self.push(challenge_line(challenge))
                challenge = exchange.send(await self._reader.readuntil())
        except StopIteration as end:
            password: bytes = end.value
            return password
        except asyncio.LimitOverrunError:
            await self._end_with("500 5.5.6 Authentication exchange line is too long")
            raise

    async def _log_in(self, password: bytes) -> None:
        logins = self.site.access.logins
        assert logins is not None
        self._principal = logins.principal_of(password, peer=self.peer)
        if self._principal is not None:
            await self.push("235 2.7.0 Authentication successful")
            return
        self._failed_logins += 1
        if self._failed_logins >= MAX_FAILED_LOGINS or logins.is_barred(self.peer):
            await self._end_with("421 4.7.0 Too many failures, try again later")
        log.warning("smtp_login_failed", peer=self.peer)
        await self.push("535 5.7.8 Authentication credentials invalid")

    @syntax("MAIL FROM: <address>", extended=" [SP <mail-parameters>]")
    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - named by aiosmtpd
        """Take AUTH= and ignore it: nobody here is trusted to speak for others (RFC 4954 section 5)."""
        refusal = self._sender_refusal()
        if refusal:
            await self.push(refusal)
            return
        await super().smtp_MAIL(_AUTH_PARAMETER.sub("", arg) if arg else arg)

    def _sender_refusal(self) -> str:
        """Return why the client may not begin a mail, "" if it may."""
        access = self.site.access
        if self._principal is not None:
            is_over = access.logins is not None and access.logins.is_over_rate(self._principal)
            return "450 4.7.1 The rate of this token is used up, try again later" if is_over else ""
        if access.is_open_to(self.peer):
            return ""
        if access.offers_login(self.peer, is_encrypted=self.is_encrypted):
            return "530 5.7.0 Authentication required"  # RFC 4954 section 6
        return "530 5.7.0 Must issue a STARTTLS command first"  # RFC 3207 section 4

    @syntax("RCPT TO: <address>", extended=" [SP <rcpt-parameters>]")
    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - named by aiosmtpd
        """Take a recipient, up to the limit."""
        assert self.envelope is not None
        if len(self.envelope.rcpt_tos) >= self.site.limits.recipients:
            await self.push("452 4.5.3 Too many recipients")  # RFC 5321 section 4.5.3.1.10
        elif arg and arg.endswith(NULL_PATH):
            await self.push("553 5.1.3 The null path is no recipient")  # RFC 5321 section 4.1.1.3
        else:
            await super().smtp_RCPT(arg)

    @syntax("VRFY <address>")
    async def smtp_VRFY(self, _arg: str | None) -> None:  # noqa: N802 - named by aiosmtpd
        """Tell nothing about addresses (RFC 5321 section 7.3)."""
        await self.push("252 2.1.5 Cannot VRFY user, but will accept message and attempt delivery")

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - named by aiosmtpd
        """Take the message, in bounded memory, and pass it to the receiver."""
        assert self.envelope is not None
        if await self.check_helo_needed():
            return
        if arg:
            await self.push("501 Syntax: DATA")
            return
        if not self.envelope.rcpt_tos:
            await self.push("503 Error: need RCPT command")
            return
        self._enter(Phase.MESSAGE)
        holding = Holding(self.site.budget)
        try:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            reply = await self._take_message(self.envelope, holding)
        finally:
            holding.release()
            self._enter(Phase.COMMAND)
            self.envelope = self._create_envelope()
        await self._conclude(reply)

    async def _conclude(self, reply: str) -> None:
        """Say what has become of the message; 421 is the last thing that is said."""
        if not reply.startswith(CLOSING):
            await self.push(reply)
            reply = SHUTTING_DOWN if self._dismissed else ""
        if reply:
            await self._end_with(reply)

    async def _take_message(self, envelope: Envelope, holding: Holding) -> str:
        collector = await self._read_message(holding)
        self._enter(Phase.BUSY)
        # RFC 5321 section 4.5.3.1.9: a message over the limit is read on, and refused at its end.
        if collector.too_large:
            return f"552 5.3.4 Message larger than {self.site.limits.message_bytes} bytes"
        if collector.crowded_out:
            return "452 4.3.1 Too many large messages at once, try again later"
        mail_from = envelope.mail_from or ""
        return await self.site.receiver.receive(
            ReceivedMail(
                mail_from="" if mail_from == NULL_PATH else mail_from,
                recipients=tuple(envelope.rcpt_tos),
                data=collector.message(),
                peer=self.peer,
                received_at=self.site.clock.now(),
                principal=self._principal,
            )
        )

    async def _read_message(self, holding: Holding) -> MessageCollector:
        """Return the collector that has seen the final dot."""
        limits = self.site.limits
        collector = MessageCollector(limits.message_bytes, holding.grow_to)
        while True:
            # The end of the connection cancels this coroutine, so read() never returns nothing.
            piece = await self._reader.read(PIECE)
            rest = collector.feed(piece)
            if rest is not None:
                break
            if not collector.too_large:
                self._earn(len(piece))
            if collector.received > limits.message_bytes + MAX_OVERRUN:
                await self._end_with("552 5.3.4 Message far too large")
        # A stream has no way to give back the commands that were read with the end of the message.
        self._reader._buffer[:0] = rest  # type: ignore[attr-defined] # noqa: SLF001 - as said above
        return collector

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # The base class parses with email's private parser, which raises IndexError for `<`.
        match = _PATH.match(arg)
        if match is None:
            return None, None
        path = match["bare"] if match["path"] is None else match["path"]
        return path or NULL_PATH, arg[match.end() :].strip()
