"""The token server of OAuth 2.0: a grant goes there, an access token comes back (RFC 6749)."""

import asyncio
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.domain.errors import LoginUnavailable
from app.domain.relay import TlsFiles
from app.domain.text import one_line, shorten
from app.net.errors import TlsFilesUnusable
from app.net.masking import masked
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """Who asks which token server. The client's secret never shows in a repr."""

    token_url: str = field(repr=False)
    client_id: str
    client_secret: str = field(default="", repr=False)  # empty for a client that can keep none
    scope: str = ""
    tls: TlsFiles = MACHINE_STORE  # towards the token server

    @property
    def shown_url(self) -> str:
        """The token server for people: scheme, host and path; what stands behind may be a key."""
        return urlsplit(self.token_url)._replace(query="", fragment="").geturl()


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
    return await _Request(client, refresh_token).send(deadline_s)


@dataclass(frozen=True, slots=True)
class _Request:
    """One request, and what is told of its failure: never one of the secrets that it took there."""

    client: OAuthClient
    refresh_token: str = field(repr=False)

    async def send(self, deadline_s: float) -> TokenGrant:
        try:
            async with asyncio.timeout(deadline_s):
                status, body = await self._post()
        except TimeoutError as error:
            raise self._passing(f"does not answer within {deadline_s:g} s") from error
        except TlsFilesUnusable as error:
            raise LoginUnavailable(str(error), is_configuration=True) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from None  # the error may hold what the server sent
        fields = _fields(body)
        if status != 200:
            raise self._refused(status, fields)
        return self._grant(fields)

    def _form(self) -> dict[str, str]:
        # RFC 6749 section 2.3.1: Microsoft and Google both want the client's secret in the form.
        form = {
            "grant_type": "refresh_token" if self.refresh_token else "client_credentials",
            "refresh_token": self.refresh_token,
            "client_id": self.client.client_id,
            "client_secret": self.client.client_secret,
            "scope": self.client.scope,
        }
        return {name: value for name, value in form.items() if value}

    async def _post(self) -> tuple[int, bytes]:
        context = await asyncio.to_thread(http_context, self.client.tls)
        # Neither a proxy nor a login of the environment or of ~/.netrc: what goes there is a secret.
        async with (
            httpx.AsyncClient(verify=context, trust_env=False, timeout=DEADLINE_S) as http,
            http.stream("POST", self.client.token_url, data=self._form(), headers=HEADERS) as response,
        ):
            body = bytearray()
            async for part in response.aiter_raw():
                body += part
                if len(body) > MAX_ANSWER:
                    raise self._passing(f"sent an answer of more than {MAX_ANSWER} bytes")
            return response.status_code, bytes(body)

    def _grant(self, fields: Mapping[str, Any]) -> TokenGrant:
        token, refresh = fields.get("access_token"), fields.get("refresh_token")
        # RFC 6749 section 7.1: a token of another type must not be used.
        if not _is_token(token) or str(fields.get("token_type", "bearer")).lower() != "bearer":
            raise self._passing("sent no bearer token")
        return TokenGrant(str(token), _lifetime_s(fields.get("expires_in")), str(refresh) if _is_token(refresh) else "")

    def _refused(self, status: int, fields: Mapping[str, Any]) -> LoginUnavailable:
        code, description = fields.get("error"), fields.get("error_description")
        said = ": ".join(part for part in (code, description) if isinstance(part, str))
        reason = f"answered {status}" + (f", {self._quoted(said)}" if said else "")
        if status >= 500 or status in {408, 429} or code in _PASSING_ERRORS:
            return self._passing(reason)
        return self._lasting(
            f"{reason}; correct token_url, client_id, the secret or the scope, or have access granted anew"
        )

    def _unreachable(self, error: Exception) -> LoginUnavailable:
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                return self._lasting(f"cannot be trusted: {certificate_fault(cause)}")
        return self._passing(f"cannot be reached: {self._quoted(str(error)) or type(error).__name__}")

    def _quoted(self, text: str) -> str:
        """Return what came from outside, in one line of bounded length and without what we sent."""
        secrets = (self.client.client_secret, self.refresh_token, urlsplit(self.client.token_url).query)
        return shorten(one_line(masked(text, secrets)), MAX_COMPLAINT)

    def _passing(self, reason: str) -> LoginUnavailable:
        return LoginUnavailable(f"the token server {self.client.shown_url} {reason}", is_configuration=False)

    def _lasting(self, reason: str) -> LoginUnavailable:
        return LoginUnavailable(f"the token server {self.client.shown_url} {reason}", is_configuration=True)


def _fields(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):  # RecursionError: brackets nested without end
        return {}
    return fields if isinstance(fields, dict) else {}


def _is_token(value: object) -> bool:
    # RFC 6749 appendix A.12 and A.17: visible characters. It goes into a login and into a file of one line.
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def _lifetime_s(value: object) -> float:
    digits = str(value)  # some servers write the number as a string
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 9:
        return DEFAULT_LIFETIME_S
    return float(digits)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
