"""`POST /alerts`: reads the body, hands its alerts to the pipeline, and answers once they are durable.

A plain ASGI callable, not a FastAPI route: in front of FastAPI's own stack it takes twice the posts.
"""

import json
from collections.abc import Sequence

import structlog

from app.domain.alert import Alert
from app.domain.errors import JournalUnavailable
from app.domain.ids import format_id
from app.httpkit import problems
from app.httpkit.answers import answer, answer_problem
from app.httpkit.limits import BodyTooLarge, Receive, Scope, Send, read_body
from app.intake.body_budget import BodyBudget
from app.intake.incoming import IncomingBody, Reading, Rejected
from app.intake.reading import read_alerts
from app.pipeline.ingest import Ingest

log = structlog.get_logger()

JSON = b"application/json"


class AlertsEndpoint:
    """Answers a POST to `/alerts`."""

    def __init__(self, ingest: Ingest, *, body_limit: int) -> None:
        """`body_limit` is in bytes."""
        self._ingest = ingest
        self._body_limit = body_limit
        self._budget = BodyBudget()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            with self._budget.reserve(_content_length(scope, self._body_limit)):
                body = await read_body(scope, receive, self._body_limit)
                reading = read_alerts(_incoming(scope, body))
                ids = await self._ingest.accept(reading.alerts)
        except BodyTooLarge as error:
            await answer_problem(send, problems.content_too_large(error.limit))
        except Rejected as rejected:
            await answer_problem(send, rejected.problem)
        except JournalUnavailable as error:
            problem = problems.service_unavailable(f"{error}.", retry_after=error.retry_after)
            await answer_problem(send, problem)
        else:
            _log_accepted(reading.alerts, ids)
            await _answer_accepted(send, reading, [format_id(number) for number in ids])


def _content_length(scope: Scope, unknown: int) -> int:
    """Return how many bytes the body may take: all that is allowed if the client does not say."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return min(int(value), unknown)
    return unknown


def _incoming(scope: Scope, body: bytes) -> IncomingBody:
    content_type = ""
    title = b""
    for name, value in scope["headers"]:
        if name == b"content-type":
            content_type = value.decode("latin-1")
        elif name == b"title":
            title = value
    return IncomingBody(body=body, content_type=content_type, query=scope["query_string"], title=title)


async def _answer_accepted(send: Send, reading: Reading, ids: Sequence[str]) -> None:
    tail = f',"warnings":{json.dumps(reading.warnings)}' if reading.warnings else ""
    if reading.is_batch:
        quoted = '","'.join(ids)
        body = f'{{"accepted":{len(ids)},"ids":["{quoted}"]{tail}}}'
        await answer(send, 202, body.encode(), JSON)
    else:
        body = f'{{"id":"{ids[0]}","status":"accepted"{tail}}}'
        await answer(send, 202, body.encode(), JSON, [(b"location", f"/alerts/{ids[0]}".encode())])


def _log_accepted(alerts: Sequence[Alert], ids: Sequence[int]) -> None:
    for alert, number in zip(alerts, ids, strict=True):
        log.info("alert_accepted", alert=format_id(number), severity=alert.severity, source=alert.source)
