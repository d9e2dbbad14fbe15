"""The HTTP call of alarms: verified TLS, no redirects, one deadline."""

import asyncio
import ssl
from datetime import timedelta

import httpx

from app.domain.errors import AlarmNotSent
from app.net.tls import http_context
from app.version import __version__

DEADLINE = timedelta(seconds=10)  # for a whole call; who must be woken is not helped by a slower answer
AGENT = f"mail-alert-system/{__version__}"


async def call(method: str, url: str, *, json_body: bytes = b"", deadline: timedelta = DEADLINE) -> None:
    """Make the call, over the proxy that the environment names if it does, and leave the answer's body unread.

    Raises AlarmNotSent unless the answer is 2xx; its message leaves the URL out, which may hold a secret.
    """
    headers = {"User-Agent": AGENT} | ({"Content-Type": "application/json"} if json_body else {})
    context = await asyncio.to_thread(http_context)  # it reads the trust store
    try:
        async with (
            asyncio.timeout(deadline.total_seconds()),
            httpx.AsyncClient(verify=context, timeout=None) as client,  # noqa: S113 - the line above is the deadline
            client.stream(method, url, content=json_body, headers=headers) as answer,
        ):
            status = answer.status_code
    except TimeoutError:
        raise AlarmNotSent(f"the server does not answer within {deadline.total_seconds():g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise AlarmNotSent(f"the server cannot be reached: {_words(error)}") from None
    if not 200 <= status <= 299:
        raise AlarmNotSent(f"the server answered {status}{_hint(status)}")


def _words(error: Exception) -> str:
    """Return what failed, from the error that the system gave; httpx's own text may name the URL."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is refused: {cause.verify_message}"
        if isinstance(cause, OSError) and (cause.strerror or cause.args):
            return str(cause.strerror or cause.args[-1])
        cause = cause.__cause__ or cause.__context__
    return "its answer is no HTTP" if isinstance(error, httpx.RemoteProtocolError) else type(error).__name__


def _hint(status: int) -> str:
    return "; redirects are not followed, so give the address that it leads to" if 300 <= status <= 399 else ""
