"""Opens a mailbox over IMAP: connected, encrypted, logged in, introduced, and the folder selected."""

import imaplib
import socket
import ssl

from imapclient import IMAPClient

from app.domain.login import Login, Logins, SecretKind
from app.domain.mailbox_server import MailboxServer
from app.domain.mailbox_session import MailboxFault, MailboxSession, Trouble
from app.mailbox.imap_faults import LIBRARY_ERRORS, ImapFaults, is_refusal
from app.mailbox.imap_link import ImapLink, LinkedClient
from app.mailbox.imap_mailbox import ImapMailbox
from app.mailbox.imap_session import ImapSession
from app.mailbox.imap_thread import ImapThread
from app.mailbox.introduction import Introduction, OnOpen
from app.mailbox.timeouts import DEFAULT_TIMEOUTS, MailboxTimeouts
from app.net.reach import reach
from app.net.tls import client_context, peer_certificate
from app.protocols.sasl import LoginExchange, choose_mechanism, secret_forms
from app.version import __version__

USED = ("IDLE", "UIDPLUS", "MOVE", "ID")  # of what servers can do
IDENTITY = {"name": "Mail Alert System", "version": __version__}


async def open_imap(
    server: MailboxServer,
    logins: Logins,
    *,
    timeouts: MailboxTimeouts = DEFAULT_TIMEOUTS,
    on_open: OnOpen | None = None,
) -> MailboxSession:
    """Return a session with the folder of `server`; `on_open` sees what is known of it. Raises MailboxFault."""
    faults = ImapFaults(server)
    try:
        login = await logins.current()
        faults.secrets = secret_forms(login)
        connection = await reach(server.host, server.port, timeout_s=timeouts.connect_s)
    except LIBRARY_ERRORS as error:
        raise faults.of(error, otherwise=Trouble.UNREACHABLE) from error
    opening = _Opening(server, login, connection, timeouts, faults)
    thread = ImapThread(connection)
    try:
        mailbox = await thread.run(opening.run)
    except BaseException as error:  # also when cancelled: a half-made session is of no use to anybody
        thread.end(opening.close)
        if login is not None and isinstance(error, MailboxFault) and error.trouble is Trouble.LOGIN:
            logins.refused(login)
        raise
    if on_open and opening.introduction:
        on_open(opening.introduction)
    return ImapSession(mailbox, thread, faults)


class _Opening:
    """One opening over a connection that has just been made, blocking."""

    def __init__(
        self,
        server: MailboxServer,
        login: Login | None,
        connection: socket.socket,
        timeouts: MailboxTimeouts,
        faults: ImapFaults,
    ) -> None:
        self._server = server
        self._login = login
        self._connection = connection
        self._timeouts = timeouts
        self._faults = faults
        self._link: ImapLink | None = None
        self._login_by = ""
        self.introduction: Introduction | None = None  # once the mailbox is open

    def run(self) -> ImapMailbox:
        """Return the mailbox, its folder selected. Raises MailboxFault."""
        try:
            return self._open()
        except LIBRARY_ERRORS as error:
            # Without its cause: imaplib's errors may repeat what was sent, and that was the password.
            raise self._faults.of(error, otherwise=Trouble.PROTOCOL) from None

    def close(self) -> None:
        """Close what has been opened so far."""
        self._connection.close()
        if self._link is not None:
            self._link.shutdown()

    def _open(self) -> ImapMailbox:
        server = self._server
        context = client_context(server.tls) if server.security.is_implicit_tls else None
        greeting_s = self._timeouts.command_s
        link = self._link = ImapLink(self._connection, server.host, context=context, greeting_s=greeting_s)
        client: IMAPClient = LinkedClient(link)
        if not link.is_encrypted and not link.is_loopback:
            self._start_tls(link, client)
        if link.state == "NONAUTH":  # a server that greets with PREAUTH knows its client already
            self._log_in(link)
        self._introduce(link, client)
        mailbox = ImapMailbox(client, link, folder=server.folder, timeouts=self._timeouts, faults=self._faults)
        mailbox.select()
        self.introduction = self._introduction_of(link, client)
        return mailbox

    def _introduction_of(self, link: ImapLink, client: IMAPClient) -> Introduction:
        tls = link.sock if isinstance(link.sock, ssl.SSLSocket) else None
        fields = tls.getpeercert() if tls else None
        return Introduction(
            certificate=peer_certificate(fields) if fields else None,
            tls_version=tls.version() if tls else None,
            login_by=self._login_by,
            abilities=tuple(name for name in USED if client.has_capability(name)),
        )

    def _start_tls(self, link: ImapLink, client: IMAPClient) -> None:
        # RFC 9051 section 11.1: after PREAUTH it is too late for TLS, and whoever sits between could have sent that.
        if "STARTTLS" not in link.capabilities or link.state != "NONAUTH":
            raise self._faults.fault(
                "it does not offer STARTTLS, so nothing was sent; write imaps:// for port 993", Trouble.CONFIGURATION
            )
        link.allow(wait_s=self._timeouts.command_s)
        client.starttls(client_context(self._server.tls))

    def _log_in(self, link: ImapLink) -> None:
        login = self._login
        if login is None:
            raise self._faults.fault("it wants a login; give the mailbox a password", Trouble.CONFIGURATION)
        link.allow(wait_s=self._timeouts.command_s)
        offered = [name.removeprefix("AUTH=") for name in link.capabilities if name.startswith("AUTH=")]
        mechanism = choose_mechanism(login, offered, encrypted=link.is_encrypted)
        if mechanism is not None:
            self._authenticate(link, LoginExchange(mechanism, login, max_command=0))
        elif login.kind is SecretKind.PASSWORD and "LOGINDISABLED" not in link.capabilities:
            self._authenticate(link, login)
        else:
            names = f"only {', '.join(offered)}" if offered else "no login"
            raise self._faults.fault(
                f"it offers {names} for this secret; try imaps://, or a password", Trouble.CONFIGURATION
            )

    def _authenticate(self, link: ImapLink, how: LoginExchange | Login) -> None:
        try:
            if isinstance(how, LoginExchange):
                link.authenticate_by(how)
                self._login_by = how.mechanism.name
            else:
                link.log_in(how.username, how.secret)
                self._login_by = "LOGIN"
        except imaplib.IMAP4.error as error:
            if not is_refusal(error):
                raise
            raise self._faults.of(error, otherwise=Trouble.LOGIN, remedy=_remedy(how)) from None

    def _introduce(self, link: ImapLink, client: IMAPClient) -> None:
        # RFC 2971: 163.com and 126.com let nobody select a folder who has not said what program it is.
        link.allow(wait_s=self._timeouts.command_s)
        if not client.has_capability("ID"):
            return
        try:
            client.id_(IDENTITY)
        except imaplib.IMAP4.error as error:
            if isinstance(error, imaplib.IMAP4.abort):
                raise
            # RFC 2971 section 3: what it answers is for statistics and bug reports only


def _remedy(how: LoginExchange | Login) -> str:
    if isinstance(how, LoginExchange) and how.login.kind is SecretKind.ACCESS_TOKEN:
        said = f' and calls the token "{how.complaint}"' if how.complaint else ""
        return f"it refuses the access token{said}; let this account read by IMAP, and check the scope"
    return "check user and password; some providers want IMAP switched on and an app password"
