"""Faults of a session with a mailbox, by the name of it, and of single mails in it."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import LoginUnavailable, MailAlertError, ProtocolError
from app.domain.mailbox_server import MailboxServer
from app.domain.mailbox_session import MailboxFault, Trouble
from app.net.errors import CertificateRejected, StreamError, TlsFilesUnusable

LINK_ERRORS = (LoginUnavailable, StreamError, ProtocolError)

GONE = "it is not in the mailbox any more"


def mailbox_fault(server: MailboxServer, reason: str, trouble: Trouble) -> MailboxFault:
    """Return the fault, with the name of the mailbox before the reason."""
    return MailboxFault(f'mailbox "{server.name}": {reason}', trouble)


def fault_of(server: MailboxServer, error: MailAlertError) -> MailboxFault:
    """Return what an error of a link, a login or a dialogue means for the session."""
    match error:
        case LoginUnavailable():
            trouble = Trouble.CONFIGURATION if error.is_configuration else Trouble.UNREACHABLE
        case CertificateRejected() | TlsFilesUnusable():
            trouble = Trouble.CONFIGURATION
        case StreamError():
            trouble = Trouble.UNREACHABLE
        case _:
            trouble = Trouble.PROTOCOL
    return mailbox_fault(server, str(error), trouble)


@contextmanager
def faults_of(server: MailboxServer) -> Iterator[None]:
    """Make MailboxFault of whatever a link or a login can raise in the block."""
    try:
        yield
    except LINK_ERRORS as error:
        raise fault_of(server, error) from error


def too_large(size: str, max_bytes: int) -> str:
    """Return the fault of a mail of this size, such as "of 12 bytes"."""
    return f"it is {size}, and at most {max_bytes} are read"
