"""Makes the errors of FastAPI, and those that every route may meet, problem documents (RFC 9457) like all others."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.domain.errors import JournalUnavailable, MailAlertError
from app.httpkit import problems
from app.httpkit.problems import FieldError, Problem

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH")


class BadCursor(MailAlertError):
    """The cursor of a list is none that was given out."""


def problem_response(problem: Problem) -> Response:
    """Return the problem as a response of FastAPI."""
    return Response(
        problems.body(problem),
        status_code=problem.status,
        media_type=problems.CONTENT_TYPE.decode(),
        headers=dict(problem.headers),
    )


def answer_errors_as_problems(app: FastAPI) -> None:
    """Register the handlers on `app`."""
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_parameters)
    app.add_exception_handler(BadCursor, _bad_cursor)
    app.add_exception_handler(JournalUnavailable, _unavailable)
    app.add_exception_handler(Exception, _fault)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return problem_response(problems.method_not_allowed(_methods_of(request)))
    headers = tuple((error.headers or {}).items())
    if error.status_code == 404:
        return problem_response(problems.not_found("Nothing is served at this path."))
    return problem_response(Problem(error.status_code, str(error.detail), str(error.detail), headers=headers))


def _methods_of(request: Request) -> list[str]:
    """Return the methods that any route serves at this path: FastAPI names only those of the first that fits."""
    routes = request.app.routes
    served = [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return [*served[:1], "HEAD", *served[1:]] if "GET" in served and "HEAD" not in served else served


async def _bad_cursor(_request: Request, _error: Exception) -> Response:
    return problem_response(problems.bad_request("cursor: not one of ours; give back the `next` of a page unchanged"))


async def _unavailable(_request: Request, error: Exception) -> Response:
    assert isinstance(error, JournalUnavailable)
    return problem_response(problems.service_unavailable(str(error), retry_after=error.retry_after))


async def _fault(_request: Request, _error: Exception) -> Response:
    """Starlette raises the error again behind this answer, and the gate logs it."""
    return problem_response(Problem(500, "Internal Server Error", "The request failed here; the log says why."))


async def _bad_parameters(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = tuple(FieldError("/".join(map(str, ["", *e["loc"]])), e["msg"]) for e in error.errors())
    detail = "A parameter is wrong: " + "; ".join(f"{e.pointer} {e.detail}" for e in errors)
    return problem_response(Problem(422, "Unprocessable Content", detail, errors=errors))
