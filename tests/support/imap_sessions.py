"""Sessions of our IMAP client with a server on loopback."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from app.domain.login import Login, Logins
from app.domain.mailbox_server import INBOX, MailboxSecurity, MailboxServer
from app.domain.mailbox_session import FetchedMail, MailboxFault, MailboxSession
from app.domain.relay import TlsFiles
from app.mailbox.imap_opening import open_imap
from app.mailbox.timeouts import MailboxTimeouts
from app.net.logins import FixedLogin
from tests.support.dovecot_mailbox import DovecotMailbox
from tests.support.scripted_imap import ScriptedImap

HANG = 10  # seconds; what is waited for takes a few milliseconds
PATIENT = MailboxTimeouts(connect_s=HANG, command_s=HANG, piece_s=HANG, mail_s=HANG, quit_s=HANG, goodbye_s=HANG)
HASTY = MailboxTimeouts(connect_s=0.3, command_s=0.3, piece_s=0.3, mail_s=0.6, quit_s=0.3, goodbye_s=0.3)
LOGIN = Login("tim", "tanstaaf")


async def open_at(
    server: ScriptedImap | DovecotMailbox,
    *,
    login: Login | None = LOGIN,
    logins: Logins | None = None,
    folder: str = INBOX,
    tls: TlsFiles | None = None,
    timeouts: MailboxTimeouts = PATIENT,
) -> MailboxSession:
    """Return a session in plaintext, where the server lets that be."""
    if isinstance(server, ScriptedImap):
        host, port = server.host, server.port
    else:
        host, port = "127.0.0.1", server.ports["imap"]
    mailbox = MailboxServer(
        host=host, port=port, security=MailboxSecurity.IMAP, username="tim", folder=folder, tls=tls or TlsFiles()
    )
    known = logins or (FixedLogin(login) if login is not None else None)
    assert known is not None
    return await open_imap(mailbox, known, timeouts=timeouts)


@asynccontextmanager
async def opened(
    server: ScriptedImap | DovecotMailbox,
    *,
    login: Login = LOGIN,
    folder: str = INBOX,
    timeouts: MailboxTimeouts = PATIENT,
) -> AsyncIterator[MailboxSession]:
    """Open a session, and cut it at the end of the block if it is still open."""
    session = await open_at(server, login=login, folder=folder, timeouts=timeouts)
    try:
        yield session
    finally:
        session.abort()


async def fault_of_opening(server: ScriptedImap | DovecotMailbox, **how: object) -> MailboxFault:
    """Return the fault that opening a session comes to."""
    try:
        session = await open_at(server, **how)  # type: ignore[arg-type]  # as open_at takes them
    except MailboxFault as fault:
        return fault
    session.abort()
    raise AssertionError("the session was opened")


async def uids_of(session: MailboxSession) -> list[str]:
    """Return the uids, the oldest first."""
    return [entry.uid for entry in await session.entries()]


async def fetch_all(session: MailboxSession, uids: Sequence[str], *, max_bytes: int = 1 << 20) -> list[FetchedMail]:
    """Return these mails."""
    return [mail async for mail in session.fetch(uids, max_bytes=max_bytes)]
