"""Opens a mailbox, by whichever protocol its server speaks."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from app.domain.login import Logins
from app.domain.mailbox_server import MailboxProtocol, MailboxServer
from app.domain.mailbox_session import MailboxSession
from app.mailbox.imap_opening import open_imap
from app.mailbox.introduction import OnOpen
from app.mailbox.pop3_dialogue import OnLine
from app.mailbox.pop3_opening import open_pop3
from app.mailbox.timeouts import DEFAULT_TIMEOUTS, MailboxTimeouts


async def open_mailbox(
    server: MailboxServer,
    logins: Logins,
    *,
    timeouts: MailboxTimeouts = DEFAULT_TIMEOUTS,
    on_line: OnLine | None = None,
    on_open: OnOpen | None = None,
) -> MailboxSession:
    """Return a session with the mailbox. Raises MailboxFault.

    `on_open` sees what is known of the server, and `on_line` the dialogue without its secrets, of POP3 only.
    """
    match server.protocol:
        case MailboxProtocol.POP3:
            return await open_pop3(server, logins, timeouts=timeouts, on_line=on_line, on_open=on_open)
        case MailboxProtocol.IMAP:
            return await open_imap(server, logins, timeouts=timeouts, on_open=on_open)


@asynccontextmanager
async def session_by(opening: Awaitable[MailboxSession]) -> AsyncIterator[MailboxSession]:
    """Give the session that `opening` comes to: closed in order behind the block, or cut if the block fails.

    Raises MailboxFault when it does not open, and when the server did not confirm at the end what was deleted.
    """
    session = await opening
    try:
        yield session
        await session.close()
    finally:
        session.abort()
