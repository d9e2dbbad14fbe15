"""Problem documents (RFC 9457): what is wrong, where, and what to do, in a form that programs can read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

CONTENT_TYPE = b"application/problem+json"  # RFC 9457 section 6.1
MAX_FIELD_ERRORS = 1_000  # one for each alert of the largest array; an answer stays readable


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field. `pointer` is a JSON Pointer (RFC 6901) into the body: `/3/severity`."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request was turned down. No text in it repeats a value of the request, which may be a secret.

    `headers` go beside the status line.
    """

    status: int
    title: str
    detail: str
    type: str = "about:blank"  # RFC 9457 section 4.2.1: nothing to say beyond the status code
    errors: tuple[FieldError, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


def body(problem: Problem) -> bytes:
    """Return the document as JSON, in ASCII."""
    document: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        document["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in problem.errors]
    return json.dumps(document).encode()


def bad_request(detail: str) -> Problem:
    """The request cannot be understood."""
    return Problem(400, "Bad Request", detail)


def broken_json(detail: str) -> Problem:
    """The body says that it is JSON and is not."""
    return Problem(400, "Broken JSON", detail, type="/problems/broken-json")


def broken_multipart(detail: str) -> Problem:
    """The body says that it is multipart/form-data and is not."""
    return Problem(400, "Broken multipart/form-data", detail, type="/problems/broken-multipart")


def unauthorized(detail: str, *, challenge: str = "Bearer") -> Problem:
    """The token is missing or wrong. RFC 9110 section 15.5.2: a 401 carries a challenge."""
    return Problem(401, "Unauthorized", detail, headers=(("WWW-Authenticate", challenge),))


def forbidden(detail: str) -> Problem:
    """The request is understood and not allowed, whoever sends it."""
    return Problem(403, "Forbidden", detail)


def not_found(detail: str) -> Problem:
    """Nothing is known under this address."""
    return Problem(404, "Not Found", detail)


def method_not_allowed(allowed: Sequence[str]) -> Problem:
    """RFC 9110 section 15.5.6: a 405 names the methods that are allowed."""
    names = ", ".join(allowed)
    return Problem(405, "Method Not Allowed", f"Use {names} here.", headers=(("Allow", names),))


def request_timeout(detail: str) -> Problem:
    """The request did not come in time; the connection is to be closed with it (RFC 9110 section 15.5.9)."""
    return Problem(408, "Request Timeout", detail)


def content_too_large(limit_bytes: int, *, what: str = "A request body", setting: str = "http.body_limit") -> Problem:
    """The body, or the part of it that `what` names, is longer than `limit_bytes`."""
    return Problem(
        413,
        "Content Too Large",
        f"{what} may hold at most {limit_bytes} bytes; send less, or raise {setting}.",
        type="/problems/content-too-large",
    )


def misdirected_request(detail: str) -> Problem:
    """The Host header names a server that this one is not."""
    return Problem(421, "Misdirected Request", detail)


def invalid_alert(detail: str, errors: Sequence[FieldError] = ()) -> Problem:
    """The body was read, but no alert follows from it. Of very many errors the first are named."""
    if len(errors) > MAX_FIELD_ERRORS:
        detail += f" The first {MAX_FIELD_ERRORS} of {len(errors)} errors are listed."
    return Problem(
        422, "Invalid alert", detail, type="/problems/invalid-alert", errors=tuple(errors[:MAX_FIELD_ERRORS])
    )


def key_reused(detail: str) -> Problem:
    """The idempotency key belongs to something else."""
    return Problem(422, "Idempotency key reused", detail, type="/problems/key-reused")


def too_many_requests(detail: str, *, retry_after: timedelta) -> Problem:
    """This client asks too often (RFC 6585 section 4)."""
    return Problem(429, "Too Many Requests", detail, headers=(("Retry-After", _seconds(retry_after)),))


def header_fields_too_large(detail: str) -> Problem:
    """The header is longer than the server reads (RFC 6585 section 5)."""
    return Problem(431, "Request Header Fields Too Large", detail)


def service_unavailable(detail: str, *, retry_after: timedelta) -> Problem:
    """Not now, but again after `retry_after`."""
    return Problem(503, "Service Unavailable", detail, headers=(("Retry-After", _seconds(retry_after)),))


def _seconds(retry_after: timedelta) -> str:
    return str(max(1, round(retry_after.total_seconds())))  # RFC 9110 section 10.2.3: whole seconds
