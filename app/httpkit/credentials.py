"""Finds the tokens that a request carries, in every place where a monitoring tool can be told to put one."""

from base64 import b64decode, urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

Fields = Mapping[bytes, bytes]

ASK_BEARER = 'Bearer realm="Mail Alert System"'  # RFC 6750 section 3
ASK_BASIC = 'Basic realm="Mail Alert System", charset="UTF-8"'  # RFC 7617 section 2

GOTIFY_KEY = b"x-gotify-key"  # what clients of Gotify send instead of Authorization
TOKEN = b"token"  # ?token=, for tools that can be given a URL and nothing else
AUTH = b"auth"  # ntfy's ?auth=, the base64url form of what would stand in Authorization
QUERY_NAMES = frozenset({TOKEN, AUTH})


def credentials_in(fields: Fields, query: bytes) -> list[bytes]:
    """Return every token that is offered; the request has it if one of them is right.

    More than one come where a proxy wants its own Authorization and the token is in the URL.
    """
    authorization = fields.get(b"authorization")
    offered = [_of_authorization(authorization)] if authorization else []
    if GOTIFY_KEY in fields:
        offered.append(fields[GOTIFY_KEY].strip())
    if query:
        offered += _of_query(query)
    return list(filter(None, offered))  # an empty one is none


def without_credentials(query: bytes) -> bytes:
    """Return the query string without tokens, so that no handler can put one into a mail, an answer or a log."""
    return b"&".join(piece for piece in query.split(b"&") if _name_of(piece) not in QUERY_NAMES)


def challenge(accept: bytes | None) -> str:
    """Return the WWW-Authenticate of a 401: Basic for a browser, which then asks its user; else Bearer."""
    return ASK_BASIC if accept is not None and b"text/html" in accept else ASK_BEARER


def _of_authorization(value: bytes) -> bytes:
    scheme, _, rest = value.partition(b" ")
    match scheme.lower():  # RFC 9110 section 11.1: the scheme is case-insensitive
        case b"bearer":
            return rest.strip()
        case b"basic":
            return _of_basic(rest.strip())
        case _:
            return b""


def _of_basic(encoded: bytes) -> bytes:
    """Return the password, or the user if there is none: `https://TOKEN@host/` is how some tools take a token."""
    try:
        user, colon, password = b64decode(encoded, validate=True).partition(b":")
    except Base64Error:
        return b""
    return (password or user) if colon else b""


def _of_query(query: bytes) -> list[bytes]:
    values: dict[bytes, bytes] = {}
    for piece in query.split(b"&"):
        # The first of each name: a thousand guesses in one request would be counted as one.
        values.setdefault(_name_of(piece), _value_of(piece))
    return [values.get(TOKEN, b""), _of_authorization(_from_base64url(values.get(AUTH, b"")))]


def _name_of(piece: bytes) -> bytes:
    return unquote_to_bytes(piece.partition(b"=")[0]).lower()


def _value_of(piece: bytes) -> bytes:
    # A plus stays one: no token holds a space, and many a script writes the plus of base64 as it is.
    return unquote_to_bytes(piece.partition(b"=")[2]).strip()


def _from_base64url(text: bytes) -> bytes:
    """RFC 4648 section 5, with or without padding."""
    try:
        return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except Base64Error:
        return b""
