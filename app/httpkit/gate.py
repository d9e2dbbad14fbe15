"""The gate before every handler: who may do what with this daemon, decided in one pass over the header fields."""

from contextlib import suppress

import structlog

from app.domain.access import Scope as AccessScope
from app.httpkit import problems
from app.httpkit.access import AccessControl, lacks_scope
from app.httpkit.answers import answer_problem
from app.httpkit.credentials import without_credentials
from app.httpkit.limits import App, ClientDisconnected, Receive, Scope, Send
from app.httpkit.origin import host_is_trusted, is_foreign
from app.httpkit.problems import Problem
from app.httpkit.refusals import logged_path
from app.httpkit.scopes import READ, SEND, needed_scope

log = structlog.get_logger()

OPEN_PATH = "/healthz"  # outside watchers have no token; without one they get the bare status

UNKNOWN_HOST = "The Host is neither localhost nor a loopback address; name it in http.allowed_hosts to admit it."
FOREIGN = "A page of another origin may not change anything here."
FAILED = Problem(500, "Internal Server Error", "The request failed here; the log of the daemon says why.")

Fields = dict[bytes, bytes]


class Gate:
    """An ASGI application around another: it refuses strangers, and answers 500 for a handler that fails.

    `scope["state"]` tells the handlers more. `principal` is who sends the request; None where nobody is proven,
    which is at the health check, and where the signature of an alert's body must still prove it. `authenticated`
    says whether the principal's scopes open this path. Without tokens the Host is what admits a request.

    What carried a token in the query string is taken out of it before the handlers see it.
    """

    def __init__(self, app: App, *, access: AccessControl, allowed_hosts: frozenset[str]) -> None:
        self._app = app
        self._access = access
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        fields = dict(scope["headers"])
        problem = self._objection(scope, fields)
        if problem is not None:
            self._access.refusals.note(scope, problem.status)
            await answer_problem(send, problem)
            return
        if scope["query_string"]:
            scope["query_string"] = without_credentials(scope["query_string"])
        try:
            await self._app(scope, receive, send)
        except ClientDisconnected:
            return  # nobody is left to be answered
        except Exception:  # the top of every request: one that fails must not end the others
            log.exception("request_failed", method=scope["method"], path=logged_path(scope))
            # Where an answer has begun, uvicorn takes no second one, and closes the connection.
            with suppress(RuntimeError):
                await answer_problem(send, FAILED)

    def _objection(self, scope: Scope, fields: Fields) -> Problem | None:
        """Return why the request is refused, or None; notes in the scope who sends it."""
        host = fields.get(b"host")
        if _breaks_host_rule(scope, host, len(fields)):
            return problems.bad_request("An HTTP/1.1 request must have one Host header.")
        access = self._access
        if host is not None and not access.asks_for_token and not host_is_trusted(host, self._allowed_hosts):
            return problems.misdirected_request(UNKNOWN_HOST)
        needed = needed_scope(scope["method"], scope["path"])
        # By the scope, not the method: a ping changes something even as a GET, which any page may hold as an image.
        if needed is not READ and is_foreign(host or b"", fields.get(b"origin"), fields.get(b"sec-fetch-site")):
            return problems.forbidden(FOREIGN)
        return self._objection_to_sender(scope, fields, needed)

    def _objection_to_sender(self, scope: Scope, fields: Fields, needed: AccessScope) -> Problem | None:
        access = self._access
        principal = access.by_token(fields, scope["query_string"])
        state = scope["state"]
        state["principal"] = principal
        state["authenticated"] = may = principal is not None and needed in principal.scopes
        if may and principal is not None:
            return access.over_rate(principal) if needed is SEND else None
        if scope["path"] == OPEN_PATH or (principal is None and access.awaits_signature(scope, fields)):
            return None
        return access.unproven(scope, fields) if principal is None else lacks_scope(needed)


def _breaks_host_rule(scope: Scope, host: bytes | None, distinct: int) -> bool:
    """RFC 9112 section 3.2: no Host in HTTP/1.1, or more than one, is 400.

    HTTP/1.0 knows no Host; the plain health checks of load balancers leave it out, browsers never do.
    """
    if host is None:
        return bool(scope["http_version"] != "1.0")
    headers = scope["headers"]
    return distinct != len(headers) and sum(name == b"host" for name, _ in headers) > 1
