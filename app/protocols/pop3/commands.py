"""What a POP3 client says, and what may come back."""

from dataclasses import dataclass, field

from app.domain.errors import ConfigurationError

MAX_COMMAND = 255  # RFC 2449 section 4, CRLF included
MAX_MAILS = 500_000  # in one mailbox; a listing of more would take too much memory
# A number of 6 digits, a space, and at most 70 characters of a uid (RFC 1939 section 7), or a size.
MAX_LISTING = MAX_MAILS * 80  # bytes
MAX_CAPABILITIES = 64 * 1024  # bytes; servers list about 10 lines
MAX_HEADER = 1 << 20  # bytes; servers take some hundred KiB at most


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `max_content`: how many bytes behind a +OK are kept; None where no lines follow.

    What is more makes the session useless, unless it `may_be_cut`. A `secret` command is a part of a login, and never
    shown as it is.
    """

    line: bytes = field(repr=False)
    max_content: int | None = None
    may_be_cut: bool = False
    secret: bool = False


def user(name: str) -> Command:
    """Name the account. Raises ConfigurationError for a name that cannot stand in a command."""
    return Command(_line("USER", name), secret=True)


def password(word: str) -> Command:
    """Give the password, spaces and all (RFC 1939 section 7). Raises ConfigurationError, which does not show it."""
    return Command(_line("PASS", word), secret=True)


def apop(name: str, digest: str) -> Command:
    """Log in by a digest. Raises ConfigurationError for a name that cannot stand in a command."""
    return Command(_line("APOP", name, digest), secret=True)


def login_line(line: str) -> Command:
    """Say a line of a SASL login."""
    # RFC 5034 section 4: responses, which are base64, may be longer than commands.
    return Command(f"{line}\r\n".encode("ascii"), secret=True)


def top(number: int) -> Command:
    """Ask for the header of a mail, without a line of its body."""
    return Command(b"TOP %d 0\r\n" % number, MAX_HEADER, may_be_cut=True)


def retr(number: int, *, max_bytes: int) -> Command:
    """Ask for a mail, of which `max_bytes` are kept."""
    return Command(b"RETR %d\r\n" % number, max_bytes, may_be_cut=True)


def dele(number: int) -> Command:
    """Mark a mail: it goes when QUIT ends the session (RFC 1939 section 6)."""
    return Command(b"DELE %d\r\n" % number)


CAPA = Command(b"CAPA\r\n", MAX_CAPABILITIES)
STLS = Command(b"STLS\r\n")
STAT = Command(b"STAT\r\n")
LIST = Command(b"LIST\r\n", MAX_LISTING)
UIDL = Command(b"UIDL\r\n", MAX_LISTING)
RSET = Command(b"RSET\r\n")  # no mail is marked any more
NOOP = Command(b"NOOP\r\n")
QUIT = Command(b"QUIT\r\n")
GREETING = Command(b"")  # the server speaks first: an answer to nothing


def _line(*words: str) -> bytes:
    line = " ".join(words).encode() + b"\r\n"
    # A line end in it would make the rest of it a command of its own; some servers stop reading at a NUL.
    if any(control in line[:-2] for control in (b"\r", b"\n", b"\0")):
        raise ConfigurationError(
            "the user or the password holds a line end or a NUL, which POP3 cannot carry; correct it"
        )
    if len(line) > MAX_COMMAND:
        raise ConfigurationError(
            f"user or password make a command of more than {MAX_COMMAND} bytes, which POP3 cannot carry; shorten it"
        )
    return line
