"""Answers: a whole response through ASGI's `send`, or as bytes for a connection that no handler serves."""

from collections.abc import Iterable
from http import HTTPStatus

from app.httpkit import problems
from app.httpkit.limits import Send
from app.httpkit.problems import Problem

Headers = Iterable[tuple[bytes, bytes]]


async def answer(send: Send, status: int, body: bytes, content_type: bytes, headers: Headers = ()) -> None:
    """Send a whole response. `headers` come on top of Content-Type and Content-Length, names in lower case."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", b"%d" % len(body)),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def answer_problem(send: Send, problem: Problem) -> None:
    """Send `problem` as a document of RFC 9457, with the headers that it brings."""
    await answer(send, problem.status, problems.body(problem), problems.CONTENT_TYPE, _encoded(problem))


def last_answer(problem: Problem, headers: Headers) -> bytes:
    """Return `problem` as the bytes of a response after which the server closes; `headers` stand in it too."""
    body = problems.body(problem)
    fields = {
        **dict(headers),
        **dict(_encoded(problem)),
        b"content-type": problems.CONTENT_TYPE,
        b"content-length": b"%d" % len(body),
        b"connection": b"close",
    }
    status_line = b"HTTP/1.1 %d %s" % (problem.status, HTTPStatus(problem.status).phrase.encode())
    return b"\r\n".join([status_line, *(b"%s: %s" % field for field in fields.items()), b"", body])


def _encoded(problem: Problem) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in problem.headers]
