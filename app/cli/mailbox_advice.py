"""What to do about known troubles with the mailbox. Pure: a fault in, sentences out."""

from collections.abc import Iterator

from app.cli.advice import LOOPBACK
from app.cli.providers import for_password
from app.domain.address import Mailbox
from app.domain.errors import LoginUnavailable
from app.domain.mailbox_server import DEFAULT_PORTS, MailboxProtocol, MailboxSecurity, MailboxServer
from app.domain.mailbox_session import MailboxFault, Trouble
from app.net.errors import ConnectFailed

OAUTH_SECTION = "[mailbox.oauth]"
NAMES = {MailboxProtocol.IMAP: "IMAP", MailboxProtocol.POP3: "POP3"}
RIGHTS = {  # of an access token
    MailboxProtocol.IMAP: "Microsoft: IMAP.AccessAsUser.All or IMAP.AccessAsApp; Google: https://mail.google.com/",
    MailboxProtocol.POP3: "Microsoft: POP.AccessAsUser.All or POP.AccessAsApp; Google: https://mail.google.com/",
}
OTHER_SECURITY = {  # the same protocol, with TLS from the first byte instead of later, and the reverse
    MailboxSecurity.POP3: MailboxSecurity.POP3_TLS,
    MailboxSecurity.POP3_TLS: MailboxSecurity.POP3,
    MailboxSecurity.IMAP: MailboxSecurity.IMAP_TLS,
    MailboxSecurity.IMAP_TLS: MailboxSecurity.IMAP,
}
IN_PLAINTEXT = ("wrong version number", "in plaintext where TLS must begin")  # as OpenSSL says it, and our POP3
IN_USE = (
    "only one program at a time can have it open by POP3, and the daemon is one: check again in a moment, let no other "
    "program read it, or read by IMAP (imaps://)"
)


def for_mailbox(server: MailboxServer, sender: Mailbox) -> Iterator[str]:
    """Yield what looks wrong before anything was asked."""
    if "@" in server.username and server.username.lower() != sender.address.lower():
        yield (
            f"mail_from is {sender.address} and the mailbox is that of {server.username}: bounces and answers go to "
            "the first, so make sure that its mail comes into the second"
        )


def for_mailbox_fault(server: MailboxServer, fault: MailboxFault, *, by_token: bool) -> Iterator[str]:
    """Yield what may mend it, besides the remedy that the fault names itself."""
    cause = fault.__cause__
    if isinstance(cause, LoginUnavailable):
        yield from _for_no_login(cause)
    elif isinstance(cause, ConnectFailed):
        yield from _for_connect(server, fault)
    elif fault.trouble is Trouble.LOGIN:
        yield from _for_login(server, by_token=by_token)
    elif fault.trouble is Trouble.IN_USE and server.protocol is MailboxProtocol.POP3:
        yield IN_USE
    elif fault.trouble is Trouble.BUSY:
        yield "try again in a few minutes; if it lasts, look in less often (every below [mailbox])"
    else:
        yield from for_port(server, fault)


def for_port(server: MailboxServer, fault: MailboxFault) -> Iterator[str]:
    """Yield the URL to write where the port is known to speak otherwise (RFC 8314 section 3), or did so."""
    if fault.trouble not in {Trouble.UNREACHABLE, Trouble.PROTOCOL}:
        return
    meant = next((security for security, port in DEFAULT_PORTS.items() if port == server.port), server.security)
    speaks = "begins with TLS" if meant.is_implicit_tls else "begins in plaintext"
    if meant.protocol is not server.protocol:
        speaks = f"is for {NAMES[meant.protocol]}"
    elif any(words in str(fault) for words in IN_PLAINTEXT):
        meant, speaks = OTHER_SECURITY[server.security], "begins in plaintext"
    if meant is not server.security:
        yield f"port {server.port} {speaks}: write {meant}:// instead of {server.security}://"


def _for_no_login(cause: LoginUnavailable) -> Iterator[str]:
    if cause.is_configuration:
        yield "nothing was said to the server; mend the file or the token server's settings that the line above names"
    else:
        yield "the token server is the trouble, not the mailbox; see whether this machine can reach it"


def _for_connect(server: MailboxServer, fault: MailboxFault) -> Iterator[str]:
    if "resolve" in str(fault):
        yield f"check the host name {server.host} in mailbox.url, and the DNS of this machine"
    elif server.host in LOOPBACK:
        yield f"nothing listens on port {server.port} of this machine: start a mail server, or name another host"
    else:
        yield f"check host and port in mailbox.url, and whether a firewall lets this machine reach port {server.port}"
        yield from for_port(server, fault)


def _for_login(server: MailboxServer, *, by_token: bool) -> Iterator[str]:
    service = NAMES[server.protocol]
    if by_token:
        yield (
            f"the token must be for this very account and allow it to read by {service}: check user, scope and consent "
            f"({RIGHTS[server.protocol]})"
        )
        return
    yield from for_password(server.host, server.username, service=service, oauth_section=OAUTH_SECTION)
    yield f"see whether {service} is turned on for the account: where it is off, every password is refused"
