"""The server's side of TLS: a certificate that is read again when its files change."""

import os
import ssl
from pathlib import Path

import structlog

from app.domain.errors import ConfigurationError

log = structlog.get_logger()

Stamp = tuple[int, int]  # when a file was written (ns), and its size: another one means other content


class ServerTls:
    """Makes the context of each STARTTLS. A renewed certificate is in use from the next one on."""

    def __init__(self, certificate: Path, key: Path | None) -> None:
        """`certificate` is PEM, with its chain; `key` is None if it stands in the same file.

        Reads both. Raises ConfigurationError when they are of no use.
        """
        self._files = (certificate, key or certificate)
        self._stamps = self._stamped()
        self._context = self._loaded()

    def context(self) -> ssl.SSLContext:
        """Return the context of the files as they are now; while they are of no use, the one before."""
        try:
            stamps = self._stamped()
            if stamps != self._stamps:
                self._stamps = stamps
                self._context = self._loaded()
        except ConfigurationError as error:
            log.error("smtp_certificate_unusable", error=str(error))  # noqa: TRY400 - no fault of the program
        return self._context

    def _stamped(self) -> tuple[Stamp, ...]:
        try:
            statuses = [os.stat(file) for file in self._files]  # noqa: PTH116 - both ways are the same here
        except OSError as error:
            raise ConfigurationError(
                f"smtp_intake.tls_certificate: {error.filename} cannot be read ({error.strerror}); mend it or its path"
            ) from error
        return tuple((status.st_mtime_ns, status.st_size) for status in statuses)

    def _loaded(self) -> ssl.SSLContext:
        certificate, key = self._files
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996: older versions must not be used
        try:
            # The empty password: OpenSSL would ask on the terminal for that of an encrypted key.
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"smtp_intake.tls_certificate: {certificate} and tls_key: {key} are no pair; "
                "give a PEM certificate with its chain, and its key without a password"
            ) from error
        return context
