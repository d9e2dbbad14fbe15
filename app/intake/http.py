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

JSON = b"application/json"
Fields = dict[bytes, bytes]


class AlertsEndpoint:
    """Answers a POST to `/alerts`."""

    def __init__(self, ingest: Ingest, *, body_limit: int) -> None:
        """`body_limit` is in bytes."""
        self._ingest = ingest
        self._body_limit = body_limit
        self._budget = BodyBudget()
        self._log = structlog.get_logger().bind()  # bound once: it writes a line for every alert

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] != "POST":
            return await answer_problem(send, problems.method_not_allowed(["GET", "HEAD", "POST"]))
        fields: Fields = dict(scope["headers"])
        size = _announced_size(fields, self._body_limit)
        try:
            self._budget.take(size)
            try:
                body = await read_body(scope, receive, self._body_limit)
                reading = read_alerts(_incoming(scope, fields, body))
                ids = await self._ingest.accept(reading.alerts)
            finally:
                self._budget.give_back(size)
        except BodyTooLarge as error:
            await answer_problem(send, problems.content_too_large(error.limit))
        except Rejected as rejected:
            await answer_problem(send, rejected.problem)
        except JournalUnavailable as error:
            problem = problems.service_unavailable(f"{error}.", retry_after=error.retry_after)
            await answer_problem(send, problem)
        else:
            names = [format_id(number) for number in ids]
            self._log_accepted(reading.alerts, names)
            await _answer_accepted(send, reading, names)
        return None

    def _log_accepted(self, alerts: Sequence[Alert], ids: Sequence[str]) -> None:
        for alert, name in zip(alerts, ids, strict=True):
            self._log.info("alert_accepted", alert=name, severity=alert.severity, source=alert.source)


def _announced_size(fields: Fields, unknown: int) -> int:
    """Return how many bytes the body may take: all that is allowed if the client does not say."""
    length = fields.get(b"content-length")
    return unknown if length is None else min(int(length), unknown)


def _incoming(scope: Scope, fields: Fields, body: bytes) -> IncomingBody:
    encoding = fields.get(b"content-encoding", b"identity").strip().lower()
    if encoding != b"identity":
        raise Rejected(problems.unsupported_media_type("No compressed body is read. Send it without Content-Encoding."))
    return IncomingBody(
        body=body,
        content_type=fields.get(b"content-type", b"").decode("latin-1"),
        query=scope["query_string"],
        title=fields.get(b"title", b""),
    )


async def _answer_accepted(send: Send, reading: Reading, ids: Sequence[str]) -> None:
    tail = f',"warnings":{json.dumps(reading.warnings)}' if reading.warnings else ""
    if reading.is_batch:
        quoted = '","'.join(ids)
        body = f'{{"accepted":{len(ids)},"ids":["{quoted}"]{tail}}}'
        await answer(send, 202, body.encode(), JSON)
    else:
        body = f'{{"id":"{ids[0]}","status":"accepted"{tail}}}'
        await answer(send, 202, body.encode(), JSON, [(b"location", f"/alerts/{ids[0]}".encode())])
