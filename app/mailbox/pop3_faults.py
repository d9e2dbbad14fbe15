"""Faults of a session with a POP3 server, by the name of its mailbox."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import LoginUnavailable, ProtocolError
from app.domain.mailbox_server import MailboxServer
from app.domain.mailbox_session import MailboxFault, Trouble
from app.net.errors import CertificateRejected, StreamError, TlsFilesUnusable


def mailbox_fault(server: MailboxServer, reason: str, trouble: Trouble) -> MailboxFault:
    """Return the fault, with the name of the mailbox before the reason."""
    return MailboxFault(f'mailbox "{server.name}": {reason}', trouble)


@contextmanager
def faults_of(server: MailboxServer) -> Iterator[None]:
    """Make MailboxFault of whatever a link or a login can raise in the block."""
    try:
        yield
    except LoginUnavailable as error:
        trouble = Trouble.CONFIGURATION if error.is_configuration else Trouble.UNREACHABLE
        raise mailbox_fault(server, str(error), trouble) from error
    except (CertificateRejected, TlsFilesUnusable) as error:
        raise mailbox_fault(server, str(error), Trouble.CONFIGURATION) from error
    except StreamError as error:
        raise mailbox_fault(server, str(error), Trouble.UNREACHABLE) from error
    except ProtocolError as error:
        raise mailbox_fault(server, str(error), Trouble.PROTOCOL) from error
