"""Sessions of our POP3 client with a scripted server."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from app.domain.login import Login
from app.domain.mailbox_server import MailboxSecurity, MailboxServer
from app.domain.mailbox_session import FetchedMail
from app.mailbox.pop3_opening import open_pop3
from app.mailbox.pop3_session import Pop3Session
from app.mailbox.timeouts import MailboxTimeouts
from app.net.logins import FixedLogin
from tests.support.scripted_pop3 import ScriptedPop3

HANG = 10  # seconds; what is waited for takes a few milliseconds
PATIENT = MailboxTimeouts(connect_s=HANG, command_s=HANG, piece_s=HANG, mail_s=HANG, quit_s=HANG, goodbye_s=HANG)
LOGIN = Login("tim", "tanstaaf")


def mailbox_of(server: ScriptedPop3, security: MailboxSecurity = MailboxSecurity.POP3) -> MailboxServer:
    """Return the mailbox of `tim` there."""
    return MailboxServer(host=server.host, port=server.port, security=security, username="tim")


async def open_mailbox(
    server: ScriptedPop3,
    *,
    login: Login = LOGIN,
    security: MailboxSecurity = MailboxSecurity.POP3,
    timeouts: MailboxTimeouts = PATIENT,
    seen: list[str] | None = None,
) -> Pop3Session:
    """Return a session with a scripted server; `seen` gets the lines of the dialogue."""
    on_line = None if seen is None else lambda who, line: seen.append(f"{who}: {line}")
    return await open_pop3(mailbox_of(server, security), FixedLogin(login), timeouts=timeouts, on_line=on_line)


@asynccontextmanager
async def opened(server: ScriptedPop3, *, timeouts: MailboxTimeouts = PATIENT) -> AsyncIterator[Pop3Session]:
    """Open a session with a scripted server, and cut it at the end of the block if it is still open."""
    session = await open_mailbox(server, timeouts=timeouts)
    try:
        yield session
    finally:
        session.abort()


async def fetch_all(session: Pop3Session, uids: Sequence[str], *, max_bytes: int = 1 << 20) -> list[FetchedMail]:
    """Return these mails."""
    return [mail async for mail in session.fetch(uids, max_bytes=max_bytes)]
