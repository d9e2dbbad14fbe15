"""The one exception tree. A message names the thing and the remedy."""

from datetime import timedelta


class MailAlertError(Exception):
    """The root of every error that this system raises on purpose."""


class ConfigurationError(MailAlertError):
    """A setting is missing or wrong. The daemon exits with 78 (EX_CONFIG of sysexits.h)."""


class JournalLocked(MailAlertError):
    """Another daemon holds the data directory. The daemon exits with 75 (EX_TEMPFAIL of sysexits.h)."""


class ListenFailed(MailAlertError):
    """The HTTP address cannot be listened on. The daemon exits with 75: whoever holds it may let go of it."""


class JournalUnavailable(MailAlertError):
    """The journal cannot take more just now: disk full, backlog limit, or shutting down.

    `retry_after` is what the client is told to wait.
    """

    def __init__(self, reason: str, *, retry_after: timedelta = timedelta(seconds=10)) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class JournalFailed(JournalUnavailable):
    """The disk failed to keep what was written to it. Nothing may be written any more; the daemon ends with 74.

    74 is EX_IOERR of sysexits.h.
    """


class JournalCorrupt(MailAlertError):
    """The journal's file is damaged. What can be read of it has to be copied into a new one."""


class LoginUnavailable(MailAlertError):
    """There should be a login, and it cannot be had: a password file or a token server fails."""

    def __init__(self, reason: str, *, is_configuration: bool) -> None:
        """`is_configuration` says whether somebody must change something, or waiting may help."""
        super().__init__(reason)
        self.is_configuration = is_configuration


class AlarmNotSent(MailAlertError):
    """An alarm did not leave by one of its ways."""


class AddressError(MailAlertError):
    """A mail address that cannot stand in an envelope or a header."""


class ProtocolError(MailAlertError):
    """The peer broke its protocol: a reply that cannot be read, a line without end, a reply to nothing."""
