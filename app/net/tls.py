"""TLS towards servers: at least 1.2, always verified, and its failures in plain words."""

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.domain.relay import TlsFiles
from app.domain.text import one_line
from app.net.errors import TlsFilesUnusable

# X509_V_ERR_… of OpenSSL's x509_vfy.h.
_CERTIFICATE_FAULTS = {
    9: "is not valid yet; check the clock of both machines",
    10: "has expired; its owner must renew it",
    18: "is self-signed; name a file that holds it as ca_file, or point SSL_CERT_FILE to a bundle with it",
    19: "comes from an authority that is not trusted here; name its certificate as ca_file",
    20: "comes from an authority that is not trusted here; name its certificate as ca_file",
    21: "comes without its chain; the server must send its intermediate certificates",
    62: "is for another name; connect by the name that it carries",
    64: "is for another address; connect by the name that it carries",
}
# RFC 4514 section 3: how the parts of a name are abbreviated.
_ABBREVIATIONS = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "countryName": "C",
}
MACHINE_STORE = TlsFiles()

Stamp = tuple[str, int, int]  # a path, when it was written (ns), and its size: another one means other content


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """The certificate that the peer showed, and that was verified. `subject` may be empty: the names count."""

    subject: str
    names: tuple[str, ...]
    issuer: str
    expires_at: datetime


def client_context(files: TlsFiles = MACHINE_STORE) -> ssl.SSLContext:
    """Return a context that trusts the authorities in `files.ca` and nobody else, and shows our certificate.

    Without such files it trusts the store of this machine, or the one SSL_CERT_FILE names. A context is kept
    for as long as its files stay as they are. It reads files: call it off the event loop.
    Raises TlsFilesUnusable.
    """
    trusted = files.ca or ssl.get_default_verify_paths().cafile or ""
    named = {"ca_file": files.ca, "client_certificate": files.certificate, "client_key": files.key}
    stamps = tuple(_stamp(setting, path) for setting, path in named.items() if path)
    return _context(files, (_store_stamp(trusted), *stamps))


def http_context(files: TlsFiles = MACHINE_STORE) -> ssl.SSLContext:
    """Return a context of its own for one HTTP client, not shared with relays. Raises TlsFilesUnusable.

    httpx has it offer HTTP (ALPN, RFC 7301), which SMTP servers may refuse.
    """
    return _new_context(files)


def certificate_fault(error: ssl.SSLCertVerificationError) -> str:
    """Return what is wrong with the certificate, and the remedy."""
    return f"the certificate {_CERTIFICATE_FAULTS.get(error.verify_code, f'is refused: {error.verify_message}')}"


def peer_certificate(fields: dict[str, Any]) -> PeerCertificate:
    """Return the certificate whose `fields` ssl.SSLSocket.getpeercert() gives."""
    issuer = dict(_parts(fields, "issuer"))
    subject = ", ".join(f"{_ABBREVIATIONS.get(key, key)}={value}" for key, value in _parts(fields, "subject"))
    return PeerCertificate(
        subject=one_line(subject),
        names=tuple(value for _, value in fields.get("subjectAltName", ())),
        issuer=issuer.get("organizationName") or issuer.get("commonName", ""),
        expires_at=datetime.fromtimestamp(ssl.cert_time_to_seconds(fields["notAfter"]), UTC),
    )


# Reading the machine's bundle takes 10 ms and more, as much as the rest of a login. A context serves any
# number of connections. 16 is more than a site has relays; what is no longer in use falls out.
@lru_cache(maxsize=16)
def _context(files: TlsFiles, _: tuple[Stamp, ...]) -> ssl.SSLContext:
    return _new_context(files)


def _new_context(files: TlsFiles) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=files.ca or None)
    except (OSError, ValueError) as error:
        raise TlsFilesUnusable(f"ca_file: {files.ca} holds no certificate; put PEM certificates there") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996: older versions must not be used
    if files.certificate:
        _show_certificate(context, files)
    return context


def _show_certificate(context: ssl.SSLContext, files: TlsFiles) -> None:
    try:
        # The empty password: OpenSSL would ask on the terminal for that of an encrypted key.
        context.load_cert_chain(files.certificate, files.key or None, password="")
    except (OSError, ValueError) as error:
        key = f" and client_key: {files.key}" if files.key else ""
        raise TlsFilesUnusable(
            f"client_certificate: {files.certificate}{key} are no pair; "
            "give a PEM certificate with its chain, and its key without a password"
        ) from error


def _stamp(setting: str, path: str) -> Stamp:
    try:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
    except OSError as error:
        raise TlsFilesUnusable(f"{setting}: {path} cannot be read ({error.strerror}); mend it or its path") from error
    return path, status.st_mtime_ns, status.st_size


def _store_stamp(path: str) -> Stamp:
    # No machine must have a store, and a missing one trusts nobody: the handshake then tells.
    return _stamp("SSL_CERT_FILE", path) if path and Path(path).is_file() else (path, 0, 0)


def _parts(fields: dict[str, Any], name: str) -> list[tuple[str, str]]:
    return [pair for part in fields.get(name, ()) for pair in part]
