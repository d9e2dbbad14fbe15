"""What an IMAP session's errors mean: later, or that somebody has to change something, in words without secrets."""

import imaplib
import re
from collections.abc import Sequence

from imapclient import exceptions

from app.domain.errors import MailAlertError
from app.domain.mailbox_server import MailboxServer
from app.domain.mailbox_session import MailboxFault, Trouble
from app.domain.text import one_line, shorten
from app.mailbox.faults import fault_of, mailbox_fault
from app.net.reach import error_words
from app.protocols.sasl import without_secrets

MAX_SAID = 200  # characters of the server's own words

# What the two libraries raise: imaplib's errors for a NO, a BAD and a BYE, and whatever the parsers meet in answers
# that no server should give.
LIBRARY_ERRORS = (
    MailAlertError,
    imaplib.IMAP4.error,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    RecursionError,
)

_CODE = re.compile(r"\[([A-Z][A-Z0-9-]*)(?: [^\]]{0,200})?\] ?")
# How both libraries introduce what the server said.
_INTRODUCTION = re.compile(r"^(?:command: \w{1,20} => |\w{1,20} failed: |\w{1,20} command error: BAD )+")
_TROUBLES = {  # RFC 5530 section 3; TRYCREATE and the like are RFC 9051 section 7.1
    "AUTHENTICATIONFAILED": Trouble.LOGIN,
    "AUTHORIZATIONFAILED": Trouble.LOGIN,
    "EXPIRED": Trouble.LOGIN,
    "UNAVAILABLE": Trouble.BUSY,
    "LIMIT": Trouble.BUSY,
    "SERVERBUG": Trouble.BUSY,
    "INUSE": Trouble.IN_USE,
    "PRIVACYREQUIRED": Trouble.CONFIGURATION,
    "CONTACTADMIN": Trouble.CONFIGURATION,
    "NOPERM": Trouble.CONFIGURATION,
    "NONEXISTENT": Trouble.CONFIGURATION,
    "TRYCREATE": Trouble.CONFIGURATION,
    "CANNOT": Trouble.CONFIGURATION,
    "OVERQUOTA": Trouble.CONFIGURATION,
    "CLIENTBUG": Trouble.PROTOCOL,
}
_BYE = "* BYE "  # in place of a greeting (RFC 9051 section 7.1.5)
# How imaplib complains of what it cannot read; None is a greeting that is none.
_UNREADABLE = ("unexpected", "socket error", "server not IMAP4", "no CAPABILITY", "command ", "None")
# Gmail says so with no code but ALERT, as its answer to a login that is right.
_TOO_MANY = re.compile(r"\btoo many\b", re.IGNORECASE)


class ImapFaults:
    """Puts the errors of one session into words. `secrets` are hidden wherever the server repeats them."""

    def __init__(self, server: MailboxServer) -> None:
        self.server = server
        self.secrets: Sequence[str] = ()

    def fault(self, reason: str, trouble: Trouble) -> MailboxFault:
        """Return the fault, which names the mailbox."""
        return mailbox_fault(self.server, reason, trouble)

    def of(self, error: BaseException, *, otherwise: Trouble, remedy: str = "") -> MailboxFault:
        """Return what `error`, one of LIBRARY_ERRORS, means; `otherwise` where the server refuses without a code."""
        match error:
            case MailboxFault():
                return error
            case MailAlertError():
                return fault_of(self.server, error)
            case OSError():
                return self.fault(f"the connection broke: {error_words(error)}", Trouble.UNREACHABLE)
            case imaplib.IMAP4.error() if _is_said(error):
                return self._refused(error, otherwise if is_refusal(error) else Trouble.UNREACHABLE, remedy)
            case _:
                return self.fault("the server's answer cannot be read", Trouble.PROTOCOL)

    def said(self, error: BaseException) -> str:
        """Return the server's own words in an error of imaplib's, safe to show."""
        text = _CODE.sub("", _words(error), count=1)
        # Hidden before it is cut, which could leave half a secret.
        return shorten(one_line(without_secrets(text.removeprefix(_BYE), self.secrets)), MAX_SAID)

    def _refused(self, error: BaseException, otherwise: Trouble, remedy: str) -> MailboxFault:
        trouble = trouble_of(_words(error), otherwise=otherwise)
        advice = f"; {remedy}" if remedy and trouble is otherwise else ""
        return self.fault(f'the server says "{self.said(error)}"{advice}', trouble)


def trouble_of(said: str, *, otherwise: Trouble) -> Trouble:
    """Return what kind of fault a NO, a BAD or a BYE is; `otherwise` where no code tells."""
    for code in _CODE.findall(said):
        if code in _TROUBLES:
            return _TROUBLES[code]
    return Trouble.BUSY if _TOO_MANY.search(said) else otherwise


def is_refusal(error: BaseException) -> bool:
    """Return whether the server refused a command by a NO or a BAD, and the session goes on."""
    return _is_said(error) and not isinstance(error, imaplib.IMAP4.abort) and not _words(error).startswith(_BYE)


def _is_said(error: BaseException) -> bool:
    """Return whether the error holds what the server said, rather than what a parser made of it."""
    is_answer = isinstance(error, imaplib.IMAP4.error) and not isinstance(error, exceptions.ProtocolError)
    return is_answer and not _words(error).startswith(_UNREADABLE)


def _words(error: BaseException) -> str:
    said = error.args[0] if error.args else ""
    text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return _INTRODUCTION.sub("", text)
