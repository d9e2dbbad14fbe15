"""The access token: what opens everything but the health check, compared in constant time."""

import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from hashlib import sha256

ASK_BEARER = 'Bearer realm="Mail Alert System"'  # RFC 6750 section 3
ASK_BASIC = 'Basic realm="Mail Alert System", charset="UTF-8"'  # RFC 7617 section 2


class AccessToken:
    """One token that every client shares. Only its digest is kept, so that no repr or dump can show it."""

    __slots__ = ("_digest",)

    def __init__(self, token: str) -> None:
        self._digest = sha256(token.encode()).digest()

    def opens(self, authorization: bytes | None) -> bool:
        """Tell whether the value of an Authorization field carries the token, as Bearer or as Basic's password."""
        offered = _credential(authorization) if authorization else None
        # Digests of one length: the time of the comparison tells neither the token nor how long it is.
        return offered is not None and hmac.compare_digest(sha256(offered).digest(), self._digest)


def challenge(accept: bytes | None) -> str:
    """Return the WWW-Authenticate of a 401: Basic for a browser, which then asks its user; else Bearer."""
    return ASK_BASIC if accept is not None and b"text/html" in accept else ASK_BEARER


def _credential(authorization: bytes) -> bytes | None:
    scheme, _, rest = authorization.partition(b" ")
    match scheme.lower():  # RFC 9110 section 11.1: the scheme is case-insensitive
        case b"bearer":
            return rest.strip()
        case b"basic":
            return _basic_password(rest.strip())
        case _:
            return None


def _basic_password(encoded: bytes) -> bytes | None:
    try:
        _, colon, password = b64decode(encoded, validate=True).partition(b":")
    except Base64Error:
        return None
    return password if colon else None
