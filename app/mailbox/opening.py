"""Opens a mailbox, by whichever protocol its server speaks."""

from app.domain.login import Logins
from app.domain.mailbox_server import MailboxProtocol, MailboxServer
from app.domain.mailbox_session import MailboxSession
from app.mailbox.imap import open_imap
from app.mailbox.pop3 import open_pop3
from app.mailbox.timeouts import DEFAULT_TIMEOUTS, MailboxTimeouts


async def open_mailbox(
    server: MailboxServer, logins: Logins, *, timeouts: MailboxTimeouts = DEFAULT_TIMEOUTS
) -> MailboxSession:
    """Return a session with the mailbox. Raises MailboxFault."""
    match server.protocol:
        case MailboxProtocol.POP3:
            return await open_pop3(server, logins, timeouts=timeouts)
        case MailboxProtocol.IMAP:
            return await open_imap(server, logins, timeouts=timeouts)
