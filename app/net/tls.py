"""TLS towards servers: at least 1.2, always verified, and its failures in plain words."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# X509_V_ERR_… of OpenSSL's x509_vfy.h.
_CERTIFICATE_FAULTS = {
    9: "is not valid yet; check the clock of both machines",
    10: "has expired; its owner must renew it",
    18: "is self-signed; point SSL_CERT_FILE to a bundle that holds it",
    19: "comes from an authority that is not trusted here; point SSL_CERT_FILE to a bundle that holds it",
    20: "comes from an authority that is not trusted here; point SSL_CERT_FILE to a bundle that holds it",
    21: "comes without its chain; the server must send its intermediate certificates",
    62: "is for another name; connect by the name that it carries",
    64: "is for another address; connect by the name that it carries",
}


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """The certificate that the peer showed, and that was verified."""

    names: tuple[str, ...]
    issuer: str
    expires_at: datetime


def client_context() -> ssl.SSLContext:
    """Return a context with the trust store of this machine, or the one SSL_CERT_FILE names.

    It reads files: call it off the event loop.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996: older versions must not be used
    return context


def certificate_fault(error: ssl.SSLCertVerificationError) -> str:
    """Return what is wrong with the certificate, and the remedy."""
    return f"the certificate {_CERTIFICATE_FAULTS.get(error.verify_code, f'is refused: {error.verify_message}')}"


def peer_certificate(fields: dict[str, Any]) -> PeerCertificate:
    """Return the certificate whose `fields` ssl.SSLSocket.getpeercert() gives."""
    issuer = {key: value for part in fields.get("issuer", ()) for key, value in part}
    return PeerCertificate(
        names=tuple(value for _, value in fields.get("subjectAltName", ())),
        issuer=issuer.get("organizationName") or issuer.get("commonName", ""),
        expires_at=datetime.fromtimestamp(ssl.cert_time_to_seconds(fields["notAfter"]), UTC),
    )
