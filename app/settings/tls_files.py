"""The PEM files for links to relays and to the mailbox: what follows from the settings that name them."""

from pathlib import Path

from app.domain.errors import ConfigurationError
from app.domain.relay import TlsFiles
from app.net.errors import TlsFilesUnusable
from app.net.tls import MACHINE_STORE, client_context


def tls_files(*, ca: Path | None, certificate: Path | None, key: Path | None, prefix: str) -> TlsFiles:
    """Return them. Raises ConfigurationError for a key alone; `prefix` stands before the setting's name there."""
    if key and not certificate:
        raise ConfigurationError(f"{prefix}client_key: it needs a client_certificate beside it")
    return TlsFiles(ca=str(ca or ""), certificate=str(certificate or ""), key=str(key or ""))


def check_tls_files(files: TlsFiles, *, prefix: str) -> None:
    """Raise ConfigurationError if one of them is of no use now."""
    try:
        if files != MACHINE_STORE:
            client_context(files)
    except TlsFilesUnusable as error:
        raise ConfigurationError(f"{prefix}{error}") from None
