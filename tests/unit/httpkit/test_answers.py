"""Whole responses."""

import json

from app.httpkit import problems
from app.httpkit.answers import answer, answer_problem, last_answer
from tests.support.asgi_calls import Exchange


async def test_an_answer_carries_its_type_and_length() -> None:
    """The two headers that each response needs come with it, others after them."""
    exchange = Exchange()
    await answer(exchange.send, 202, b"{}", b"application/json", [(b"location", b"/alerts/1")])
    assert exchange.status == 202
    assert exchange.headers == {
        b"content-type": b"application/json",
        b"content-length": b"2",
        b"location": b"/alerts/1",
    }
    assert exchange.sent[1]["body"] == b"{}"


async def test_a_problem_brings_its_headers() -> None:
    """Headers of the problem are sent with it."""
    exchange = Exchange()
    await answer_problem(exchange.send, problems.method_not_allowed(["GET", "HEAD"]))
    assert exchange.status == 405
    assert exchange.headers[b"allow"] == b"GET, HEAD"


def test_the_last_answer_is_a_whole_response() -> None:
    """A connection ends with a response that any client can read, and that says that it ends."""
    head, _, body = last_answer(problems.bad_request("why"), [(b"date", b"today")]).partition(b"\r\n\r\n")
    status_line, *fields = head.split(b"\r\n")
    assert status_line == b"HTTP/1.1 400 Bad Request"
    assert {b"date: today", b"connection: close", b"content-length: %d" % len(body)} <= set(fields)
    assert json.loads(body)["detail"] == "why"
