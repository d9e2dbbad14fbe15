"""Problem documents: RFC 9457 in shape, with the headers that RFC 9110 asks for."""

import json
from datetime import timedelta

import pytest

from app.httpkit import problems
from app.httpkit.problems import FieldError, Problem


def test_document_holds_the_members_of_the_standard() -> None:
    """A program reads type, title, status and detail (RFC 9457 section 3.1)."""
    document = json.loads(problems.body(Problem(404, "Not Found", "No alert has this id.")))

    assert document == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No alert has this id.",
    }


def test_every_bad_field_is_named_with_its_place() -> None:
    """The errors say where, as JSON Pointers."""
    problem = problems.invalid_alert("Not taken.", [FieldError("/3/severity", "must be one of info")])

    assert json.loads(problems.body(problem))["errors"] == [{"pointer": "/3/severity", "detail": "must be one of info"}]


def test_very_many_errors_are_counted_and_the_first_named() -> None:
    """A hostile body cannot make an answer without end."""
    problem = problems.invalid_alert("Not taken.", [FieldError(f"/{i}", "bad") for i in range(5_000)])

    assert len(problem.errors) == problems.MAX_FIELD_ERRORS
    assert "5000 errors" in problem.detail


def test_text_outside_ascii_survives() -> None:
    """A detail in any script, or with a lone surrogate, can be sent."""
    document = problems.body(Problem(400, "Bad Request", "größer \ud800"))

    assert json.loads(document.decode("ascii"))["detail"] == "größer \ud800"


@pytest.mark.parametrize(
    ("problem", "header"),
    [
        pytest.param(problems.unauthorized("no token"), ("WWW-Authenticate", "Bearer"), id="401"),
        pytest.param(problems.method_not_allowed(["GET", "POST"]), ("Allow", "GET, POST"), id="405"),
        pytest.param(
            problems.service_unavailable("full", retry_after=timedelta(seconds=9.6)), ("Retry-After", "10"), id="503"
        ),
        pytest.param(
            problems.service_unavailable("full", retry_after=timedelta(0)), ("Retry-After", "1"), id="503-at-once"
        ),
    ],
)
def test_header_that_belongs_to_the_status_is_there(problem: Problem, header: tuple[str, str]) -> None:
    """RFC 9110 asks for these beside their status codes."""
    assert problem.headers == (header,)


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (problems.bad_request("x"), 400),
        (problems.broken_json("x"), 400),
        (problems.forbidden("x"), 403),
        (problems.not_found("x"), 404),
        (problems.request_timeout("x"), 408),
        (problems.content_too_large(10), 413),
        (problems.key_reused("x"), 422),
        (problems.too_many_requests("x", retry_after=timedelta(seconds=3)), 429),
        (problems.misdirected_request("x"), 421),
        (problems.invalid_alert("x"), 422),
        (problems.header_fields_too_large("x"), 431),
    ],
)
def test_each_problem_has_its_status(problem: Problem, status: int) -> None:
    """Every constructor means one status code."""
    assert json.loads(problems.body(problem))["status"] == status
