"""Another implementation of DKIM (dkimpy), which finds the keys of the tests in a dictionary instead of the DNS."""

from base64 import b64decode
from contextlib import suppress
from typing import Any

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def verifies(message: bytes, records: dict[str, str]) -> bool:
    """Tell whether the first signature of `message` holds by the TXT records, which are found by name."""
    try:
        return bool(_Verifier(message, minkey=2048).verify(dnsfunc=_dns(records)))
    except dkim.DKIMException:
        return False


class _Verifier(dkim.DKIM):  # type: ignore[misc]  # dkimpy has no types
    """dkimpy wants a library of its own for Ed25519; this one signature is verified by the one that is there."""

    def verify_sig(self, sig: Any, include_headers: Any, sig_header: Any, dnsfunc: Any) -> Any:
        if sig[b"a"] != b"ed25519-sha256":
            return super().verify_sig(sig, include_headers, sig_header, dnsfunc)
        record = dnsfunc(sig[b"s"] + b"._domainkey." + sig[b"d"] + b".")
        tags = dkim.util.parse_tag_value(record)
        if tags.get(b"k") != b"ed25519":
            return False
        self.pk, self.ktag, self.seqtlsrpt = _Ed25519(tags[b"p"]), b"ed25519", False
        return self.verify_sig_process(sig, include_headers, sig_header, dnsfunc) and self.pk.fits


class _Ed25519:
    """A public key with the one method that dkimpy calls. `fits` is what came of it."""

    def __init__(self, key: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(b64decode(key))
        self.fits = False

    def verify(self, octets: bytes, signature: bytes) -> None:
        with suppress(InvalidSignature):
            self._key.verify(signature, octets)
            self.fits = True


def _dns(records: dict[str, str]) -> Any:
    def find(name: bytes, timeout: int = 5) -> bytes:
        return records.get(name.decode().rstrip("."), "").encode()

    return find
