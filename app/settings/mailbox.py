"""`[mailbox]`: the mailbox that is read, what becomes of its mails, and who may acknowledge by one."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from app.domain.access import AllowedRecipients
from app.domain.address import MAX_LOCAL, Mailbox
from app.domain.errors import ConfigurationError
from app.domain.mail_read import AfterReading
from app.domain.mailbox_server import INBOX, MailboxProtocol, MailboxServer, parse_mailbox_url
from app.settings.measures import ByteCount, Duration, size_within, time_within
from app.settings.oauth import OAuthSetup, OAuthTable, check_refresh_token, oauth_setup, with_client_secret
from app.settings.recipients import Recipients
from app.settings.relay_tables import has_password
from app.settings.secret_files import SecretFiles
from app.settings.sections import STRICT
from app.settings.tls_files import check_tls_files, tls_files
from app.settings.values import OneMailbox, Secret

PREFIX = "mailbox."
OAUTH_PREFIX = "mailbox.oauth."
MAX_MESSAGE = 256 << 20  # a mail is held in memory while it is read
MAX_BOUNCES = 1000
TOKEN_ROOM = 35  # octets in a local part: "+", the id of a mail, "." and the MAC (app/mail/message_id.py)
POSITION_ROOM = 6  # octets besides: "." and the position of a recipient
LOGIN_REMEDY = "put the password into a file (mailbox.password_file), or log in by a token ([mailbox.oauth])"


def _folder_name(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("is no name of a folder; write it as the mail program shows it, such as INBOX")
    # RFC 9051 section 5.1: INBOX is that in any spelling. The journal must know it as one.
    return INBOX if value.upper() == INBOX else value


FolderName = Annotated[str, AfterValidator(_folder_name)]


class MailboxSettings(BaseModel):
    """The mailbox that is read. None is unless it has a `url`."""

    model_config = STRICT

    url: Secret | None = None
    password: Secret | None = None
    password_file: Path | None = None
    oauth: OAuthTable | None = None
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    folder: FolderName = INBOX
    every: Annotated[Duration, time_within(timedelta(seconds=5), timedelta(days=1))] = timedelta(minutes=1)
    from_beginning: bool = False
    after: AfterReading = AfterReading.KEEP
    move_to: FolderName = "Processed"
    message_limit: Annotated[ByteCount, size_within(1 << 10, MAX_MESSAGE)] = 64 << 20
    intake: bool = False
    ack_from: Recipients = ()
    confirm: bool = True
    reply_address: OneMailbox = None
    verp: bool = False
    set_aside_after: int = Field(default=5, ge=0, le=MAX_BOUNCES)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSetup:
    """A mailbox, how to log in, and what is done with its mails. A `password_file` is read again at each connection.

    `ack_from` is None for everybody of the recipients' domains. `set_aside_after` is 0 for never.
    """

    server: MailboxServer
    password_file: Path | None
    oauth: OAuthSetup | None
    every: timedelta
    from_beginning: bool
    after: AfterReading
    move_to: str
    message_limit: int  # bytes
    intake: bool
    ack_from: AllowedRecipients | None
    confirm: bool
    reply_address: Mailbox | None
    verp: bool
    set_aside_after: int

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets in plain text, for the logs to blot out."""
        found = (self.server.password, self.oauth.client.client_secret if self.oauth else "")
        return tuple(filter(None, found))


def with_mailbox_secrets(mailbox: MailboxSettings, files: SecretFiles) -> MailboxSettings:
    """Return the section with the secrets that stand in files. Raises ConfigurationError if one is of no use."""
    if mailbox.url is None:
        return mailbox
    found = files.find(
        f"{PREFIX}password",
        given=mailbox.password is not None or has_password(mailbox.url),
        file=mailbox.password_file,
        credential="mailbox_password",
    )
    if found:
        mailbox = mailbox.model_copy(update={"password": SecretStr(found.secret), "password_file": found.path})
    if mailbox.oauth:
        oauth = with_client_secret(mailbox.oauth, files, prefix=OAUTH_PREFIX, credential="mailbox_client_secret")
        mailbox = mailbox.model_copy(update={"oauth": oauth})
    return mailbox


def mailbox_setup(mailbox: MailboxSettings, mail_from: Mailbox | None) -> MailboxSetup | None:
    """Return what follows from the section, secrets in place; None without a `url`.

    Raises ConfigurationError if the URL is wrong, the login incomplete, or something asks for what cannot be.
    """
    if mailbox.url is None:
        return None
    server = _server(mailbox, mailbox.url)
    for objection in (_to_folders(mailbox, server), _to_tokens(mailbox, mail_from)):
        if objection:
            raise ConfigurationError(f"{PREFIX}{objection}")
    return MailboxSetup(
        server=server,
        password_file=mailbox.password_file,
        oauth=oauth_setup(mailbox.oauth, prefix=OAUTH_PREFIX) if mailbox.oauth else None,
        every=mailbox.every,
        from_beginning=mailbox.from_beginning,
        after=mailbox.after,
        move_to=mailbox.move_to,
        message_limit=mailbox.message_limit,
        intake=mailbox.intake,
        ack_from=AllowedRecipients.of(mailbox.ack_from) if mailbox.ack_from else None,
        confirm=mailbox.confirm,
        reply_address=mailbox.reply_address,
        verp=mailbox.verp,
        set_aside_after=mailbox.set_aside_after,
    )


def check_mailbox_files(setup: MailboxSetup) -> None:
    """Raise ConfigurationError if a file that is needed at each connection is of no use now."""
    check_tls_files(setup.server.tls, prefix=PREFIX)
    check_refresh_token(setup.oauth, prefix=OAUTH_PREFIX)


def _server(mailbox: MailboxSettings, url: SecretStr) -> MailboxServer:
    if mailbox.password and has_password(url):
        raise ConfigurationError(f"{PREFIX}password: given twice, by itself and in the URL; keep one of them")
    server = parse_mailbox_url(
        url.get_secret_value(),
        password=mailbox.password.get_secret_value() if mailbox.password else "",
        folder=mailbox.folder,
        tls=tls_files(
            ca=mailbox.ca_file, certificate=mailbox.client_certificate, key=mailbox.client_key, prefix=PREFIX
        ),
    )
    if server.password and mailbox.oauth:
        raise ConfigurationError(f"{PREFIX}url: a password beside oauth; keep one of them")
    if not server.password and not mailbox.oauth:
        raise ConfigurationError(f"{PREFIX}url: a user without a password; {LOGIN_REMEDY}")
    return server


def _to_folders(mailbox: MailboxSettings, server: MailboxServer) -> str:
    """Return what is wrong with what is asked of folders, empty if nothing is."""
    if server.protocol is MailboxProtocol.POP3 and mailbox.folder != INBOX:
        return "folder: POP3 knows no folders but INBOX; leave it out, or read by IMAP (imaps://)"
    if mailbox.after is not AfterReading.MOVE:
        return ""
    if server.protocol is MailboxProtocol.POP3:
        return 'after: POP3 cannot move mail; write "keep" or "delete", or read by IMAP (imaps://)'
    if mailbox.move_to == mailbox.folder:
        return "move_to: is the folder that is read; name another one"
    return ""


def _to_tokens(mailbox: MailboxSettings, mail_from: Mailbox | None) -> str:
    """Return what is wrong with the addresses into which tokens are put, empty if nothing is.

    RFC 5321 section 4.5.3.1.1: a local part has at most 64 octets, and some servers refuse or cut what is longer.
    """
    reply, room = mailbox.reply_address, MAX_LOCAL - TOKEN_ROOM
    if reply and _local_octets(reply) > room:
        return f"reply_address: leaves no room for a token; what is before the @ may have {room} octets at most"
    room -= POSITION_ROOM
    sender, setting = (reply, "reply_address") if reply else (mail_from, "mail_from")
    if mailbox.verp and sender and _local_octets(sender) > room:
        return (
            f"verp: {setting} leaves no room for a token; what is before its @ may have {room} octets at most, "
            "so set a shorter reply_address, or verp = false"
        )
    return ""


def _local_octets(mailbox: Mailbox) -> int:
    return len(mailbox.address.encode()) - len(mailbox.domain) - len("@")
