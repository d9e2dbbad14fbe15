"""How a link to a server can fail."""

from app.domain.errors import MailAlertError


class StreamError(MailAlertError):
    """The link cannot be used any more."""


class ConnectFailed(StreamError):
    """No address of the host could be reached."""


class StreamClosed(StreamError):
    """The peer has closed or reset the link."""


class StreamTimeout(StreamError):
    """The deadline passed first."""


class TlsFailed(StreamError):
    """The link could not be encrypted."""


class CertificateRejected(TlsFailed):
    """The peer's certificate does not prove that it is the host that was asked for."""


class TlsFilesUnusable(TlsFailed):
    """The files with our own certificate, or with the authorities to trust, are wrong or not there."""
