"""Errors of the framework: problem documents like all others."""

import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from app.web.errors import answer_errors_as_problems
from tests.support.asgi_calls import Exchange, http_scope
from tests.support.web_site import Site


async def test_a_path_that_is_not_served_is_a_problem(site: Site) -> None:
    """404 in the form of RFC 9457."""
    answer = await site.get("/nothing")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Nothing is served at this path.",
    }


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
async def test_a_method_that_is_not_allowed_is_a_problem(site: Site, method: str) -> None:
    """405 names those that are (RFC 9110 section 15.5.6)."""
    answer = await site.get("/healthz", method=method)
    assert (answer.status, answer.headers["content-type"]) == (405, "application/problem+json")
    assert answer.headers["allow"] == "GET, HEAD"


async def test_headers_of_an_error_are_kept() -> None:
    """What a route says beside its error reaches the client."""
    app = FastAPI()
    answer_errors_as_problems(app)

    @app.get("/busy")
    async def busy() -> None:
        raise HTTPException(503, "busy", headers={"Retry-After": "7"})

    exchange = Exchange([{"type": "http.request", "body": b"", "more_body": False}])
    await app(http_scope("GET", "/busy"), exchange.receive, exchange.send)
    assert exchange.status == 503
    assert exchange.headers[b"retry-after"] == b"7"
