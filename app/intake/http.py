"""`POST /alerts`: reads the body, hands its alerts to the pipeline, and answers once they are durable.

A plain ASGI callable, not a FastAPI route: in front of FastAPI's own stack it takes twice the posts.
"""

import asyncio
import json
import logging
from collections.abc import Sequence

import structlog

from app.domain.alert import Alert
from app.domain.errors import JournalUnavailable
from app.domain.ids import format_id
from app.httpkit import problems
from app.httpkit.answers import answer, answer_problem
from app.httpkit.limits import BodyTooLarge, Receive, Scope, Send, read_body
from app.intake.bodies import Bodies, Fields
from app.intake.body_budget import Claim
from app.intake.incoming import IncomingBody, Reading, Rejected
from app.intake.reading import read_alerts
from app.intake.sizes import SizeLimits
from app.pipeline.ingest import Ingest

JSON = b"application/json"
LONG_BODY = 256 * 1024  # bytes; to parse more takes more than a millisecond, in which other posts would wait


class AlertsEndpoint:
    """Answers a POST to `/alerts`."""

    def __init__(self, ingest: Ingest, *, body_limit: int, attachments_limit: int) -> None:
        """Both limits are in bytes; that of the attachments holds for each alert, and 0 means that none are taken."""
        self._ingest = ingest
        self._limits = SizeLimits(body_limit, attachments_limit)
        self._bodies = Bodies(self._limits)
        self._parses_long = asyncio.Lock()
        self._log = structlog.get_logger().bind()  # bound once: it writes a line for every alert
        # Whoever sends a broken body is told so; the log has no use for it.
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] != "POST":
            return await answer_problem(send, problems.method_not_allowed(["GET", "HEAD", "POST"]))
        fields: Fields = dict(scope["headers"])
        try:
            claim = self._bodies.admit(fields)
            try:
                reading = await self._read(scope, receive, fields, claim)
                ids = await self._ingest.accept(reading.alerts)
            finally:
                claim.release()
        except BodyTooLarge as error:
            problem = problems.content_too_large(error.limit)
        except Rejected as rejected:
            problem = rejected.problem
        except JournalUnavailable as error:
            problem = problems.service_unavailable(f"{error}.", retry_after=error.retry_after)
        else:
            names = [format_id(number) for number in ids]
            self._log_accepted(reading.alerts, names)
            return await _answer_accepted(send, reading, names)
        return await answer_problem(send, problem)

    async def _read(self, scope: Scope, receive: Receive, fields: Fields, claim: Claim) -> Reading:
        """Return the alerts of the body, which is let go of here.

        Long bodies are parsed in a thread, one at a time: the memory that this takes besides is taken once.
        """
        if b"content-encoding" in fields:
            _refuse_encoded(fields[b"content-encoding"])
        body = await read_body(scope, receive, claim.limit, self._bodies.counter(claim))
        incoming = _incoming(scope, fields, body)
        if len(body) <= LONG_BODY:
            return read_alerts(incoming, self._limits)
        async with self._parses_long:
            return await asyncio.to_thread(read_alerts, incoming, self._limits)

    def _log_accepted(self, alerts: Sequence[Alert], ids: Sequence[str]) -> None:
        for alert, name in zip(alerts, ids, strict=True):
            self._log.info("alert_accepted", alert=name, severity=alert.severity, source=alert.source)


def _refuse_encoded(encoding: bytes) -> None:
    if encoding.strip().lower() != b"identity":
        raise Rejected(problems.unsupported_media_type("No compressed body is read. Send it without Content-Encoding."))


def _incoming(scope: Scope, fields: Fields, body: bytes) -> IncomingBody:
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
