"""Opens a mailbox, by whichever protocol its server speaks."""

from app.domain.login import Logins
from app.domain.mailbox_server import MailboxProtocol, MailboxServer
from app.domain.mailbox_session import MailboxSession
from app.mailbox.imap import open_imap
from app.mailbox.introduction import OnOpen
from app.mailbox.pop3 import open_pop3
from app.mailbox.pop3_dialogue import OnLine
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
