"""The token server of OAuth 2.0: a grant goes there, an access token comes back (RFC 6749)."""

import asyncio
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import httpx

from app.domain.errors import LoginUnavailable
from app.domain.relay import TlsFiles
from app.domain.text import one_line, shorten
from app.net.errors import TlsFilesUnusable
from app.net.tls import MACHINE_STORE, certificate_fault, http_context

DEADLINE_S = 20.0  # for the whole request; token servers answer in well under a second
MAX_ANSWER = 64 * 1024  # bytes; tokens with many claims have about 5,000
MAX_COMPLAINT = 300  # characters; Microsoft's explain themselves at this length
# RFC 6749 section 5.1 recommends expires_in. Microsoft and Google give tokens for an hour. If one ends before,
# the relay refuses it, and the next connection asks for another.
DEFAULT_LIFETIME_S = 3600.0
# Errors after which asking again may help: RFC 6749 section 4.1.2.1, RFC 8628 section 3.5.
_PASSING_ERRORS = ("server_error", "temporarily_unavailable", "slow_down")
# Not packed: a small answer could unfold into a huge one.
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
MASK = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """Who asks which token server. The client's secret never shows in a repr."""

    token_url: str
    client_id: str
    client_secret: str = field(default="", repr=False)  # empty for a client that can keep none
    scope: str = ""
    tls: TlsFiles = MACHINE_STORE  # towards the token server


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What the server gave. `refresh_token` is the next one to use, if it sent one."""

    access_token: str = field(repr=False)
    lifetime_s: float
    refresh_token: str = field(default="", repr=False)


async def request_token(client: OAuthClient, *, refresh_token: str = "", deadline_s: float = DEADLINE_S) -> TokenGrant:
    """Return a token for the refresh token (RFC 6749 section 6), else for the client itself (section 4.4).

    Raises LoginUnavailable, which shows neither a secret nor the token.
    """
    form = _form(client, refresh_token)
    try:
        async with asyncio.timeout(deadline_s):
            status, body = await _post(client, form)
    except TimeoutError as error:
        raise _passing(client, f"does not answer within {deadline_s:g} s") from error
    except TlsFilesUnusable as error:
        raise LoginUnavailable(str(error), is_configuration=True) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unreachable(client, error) from error
    fields = _fields(body)
    if status != 200:
        _refused(client, status, fields, hidden=(client.client_secret, refresh_token))
    return _grant(client, fields)


def _form(client: OAuthClient, refresh_token: str) -> dict[str, str]:
    # RFC 6749 section 2.3.1: Microsoft and Google both want the client's secret in the form.
    form = {
        "grant_type": "refresh_token" if refresh_token else "client_credentials",
        "refresh_token": refresh_token,
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "scope": client.scope,
    }
    return {name: value for name, value in form.items() if value}


async def _post(client: OAuthClient, form: Mapping[str, str]) -> tuple[int, bytes]:
    context = await asyncio.to_thread(http_context, client.tls)
    # Neither a proxy nor a login of the environment or of ~/.netrc: what goes there is a secret.
    async with (
        httpx.AsyncClient(verify=context, trust_env=False, timeout=DEADLINE_S) as http,
        http.stream("POST", client.token_url, data=form, headers=HEADERS) as response,
    ):
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > MAX_ANSWER:
                raise _passing(client, f"sent an answer of more than {MAX_ANSWER} bytes")
        return response.status_code, bytes(body)


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: brackets nested without end
        return {}
    return fields if isinstance(fields, dict) else {}


def _grant(client: OAuthClient, fields: Mapping[str, Any]) -> TokenGrant:
    token, refresh = fields.get("access_token"), fields.get("refresh_token")
    # RFC 6749 section 7.1: a token of another type must not be used.
    if not _is_token(token) or str(fields.get("token_type", "bearer")).lower() != "bearer":
        raise _passing(client, "sent no bearer token")
    return TokenGrant(str(token), _lifetime_s(fields.get("expires_in")), str(refresh) if _is_token(refresh) else "")


def _is_token(value: object) -> bool:
    # RFC 6749 appendix A.12 and A.17: visible characters. It goes into a login and into a file of one line.
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def _lifetime_s(value: object) -> float:
    digits = str(value)  # some servers write the number as a string
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 9:
        return DEFAULT_LIFETIME_S
    return float(digits)


def _refused(client: OAuthClient, status: int, fields: Mapping[str, Any], *, hidden: tuple[str, ...]) -> NoReturn:
    code, description = fields.get("error"), fields.get("error_description")
    said = ": ".join(part for part in (code, description) if isinstance(part, str))
    for secret in filter(None, hidden):
        said = said.replace(secret, MASK)
    reason = f"answered {status}" + (f", {shorten(one_line(said), MAX_COMPLAINT)}" if said else "")
    if status >= 500 or status in {408, 429} or code in _PASSING_ERRORS:
        raise _passing(client, reason)
    raise LoginUnavailable(
        f"the token server {client.token_url} {reason}; correct token_url, client_id, the secret or the scope, "
        "or have access granted anew",
        is_configuration=True,
    )


def _passing(client: OAuthClient, reason: str) -> LoginUnavailable:
    return LoginUnavailable(f"the token server {client.token_url} {reason}", is_configuration=False)


def _unreachable(client: OAuthClient, error: Exception) -> LoginUnavailable:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = f"the token server {client.token_url}: {certificate_fault(cause)}"
            return LoginUnavailable(reason, is_configuration=True)
    return _passing(client, f"cannot be reached: {one_line(str(error)) or type(error).__name__}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
