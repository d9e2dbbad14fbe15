"""The gate before every handler: who may talk to this daemon, decided in one pass over the header fields."""

from contextlib import suppress

import structlog

from app.domain.access import Principal
from app.httpkit import problems
from app.httpkit.answers import answer_problem
from app.httpkit.limits import App, ClientDisconnected, Receive, Scope, Send
from app.httpkit.origin import SAFE_METHODS, host_is_trusted, is_foreign
from app.httpkit.problems import Problem
from app.httpkit.tokens import AccessToken, challenge

log = structlog.get_logger()

OPEN_PATH = "/healthz"  # outside watchers have no token; without one they get the bare status
MAX_LOGGED_PATH = 200  # tells what was wanted, and cannot fill a disk

UNKNOWN_HOST = "The Host is neither localhost nor a loopback address; name it in http.allowed_hosts to admit it."
FOREIGN = "A page of another origin may not change anything here."
UNPROVEN = "Send the token as `Authorization: Bearer`, or as the password of Basic."
FAILED = Problem(500, "Internal Server Error", "The request failed here; the log of the daemon says why.")

Fields = dict[bytes, bytes]


class Gate:
    """An ASGI application around another: it refuses strangers, and answers 500 for a handler that fails.

    `scope["state"]["authenticated"]` tells the handlers whether the request carried the token. Without a token
    the Host is what admits a request, and all that are admitted count as authenticated.
    """

    def __init__(self, app: App, *, token: AccessToken | None, allowed_hosts: frozenset[str]) -> None:
        self._app = app
        self._token = token
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        fields = dict(scope["headers"])
        problem = self._objection(scope, fields)
        if problem is not None:
            _log_refusal(scope, problem.status)
            await answer_problem(send, problem)
            return
        try:
            await self._app(scope, receive, send)
        except ClientDisconnected:
            return  # nobody is left to be answered
        except Exception:  # the top of every request: one that fails must not end the others
            log.exception("request_failed", method=scope["method"], path=_path(scope))
            # Where an answer has begun, uvicorn takes no second one, and closes the connection.
            with suppress(RuntimeError):
                await answer_problem(send, FAILED)

    def _objection(self, scope: Scope, fields: Fields) -> Problem | None:
        """Return why the request is refused, or None; notes in the scope whether it carried the token."""
        host = fields.get(b"host")
        if _breaks_host_rule(scope, host, len(fields)):
            return problems.bad_request("An HTTP/1.1 request must have one Host header.")
        if host is not None and self._token is None and not host_is_trusted(host, self._allowed_hosts):
            return problems.misdirected_request(UNKNOWN_HOST)
        method: str = scope["method"]
        if method not in SAFE_METHODS and is_foreign(
            method, host or b"", fields.get(b"origin"), fields.get(b"sec-fetch-site")
        ):
            return problems.forbidden(FOREIGN)
        authenticated = self._token is None or self._token.opens(fields.get(b"authorization"))
        scope["state"]["authenticated"] = authenticated
        scope["state"]["principal"] = Principal() if authenticated else None
        if not authenticated and scope["path"] != OPEN_PATH:
            return problems.unauthorized(UNPROVEN, challenge=challenge(fields.get(b"accept")))
        return None


def _breaks_host_rule(scope: Scope, host: bytes | None, distinct: int) -> bool:
    """RFC 9112 section 3.2: no Host in HTTP/1.1, or more than one, is 400.

    HTTP/1.0 knows no Host; the plain health checks of load balancers leave it out, browsers never do.
    """
    if host is None:
        return bool(scope["http_version"] != "1.0")
    headers = scope["headers"]
    return distinct != len(headers) and sum(name == b"host" for name, _ in headers) > 1


def _log_refusal(scope: Scope, status: int) -> None:
    log.warning("request_refused", status=status, method=scope["method"], path=_path(scope))


def _path(scope: Scope) -> str:
    """Return the path for the log: percent-encoded as it came, without the query, which may hold secrets."""
    raw: bytes = scope["raw_path"]
    return raw[:MAX_LOGGED_PATH].decode("latin-1")
