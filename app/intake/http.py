"""`POST /alerts`: reads the body, hands its alerts to the pipeline, and answers once they are durable.

A plain ASGI callable, not a FastAPI route: in front of FastAPI's own stack it takes twice the posts.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from app.domain.access import Principal, Scope
from app.domain.errors import JournalUnavailable
from app.domain.ports import Clock
from app.domain.receipt import KeyReused, Receipt
from app.httpkit import problems
from app.httpkit.answers import answer, answer_problem
from app.httpkit.limits import BodyTooLarge, Receive, Send, read_body
from app.httpkit.limits import Scope as AsgiScope
from app.httpkit.problems import Problem
from app.httpkit.refusals import client_of
from app.httpkit.scopes import ALERTS, LOOKING, POSTING
from app.intake.addressing import addressed
from app.intake.bodies import Bodies, Fields
from app.intake.body_budget import Room
from app.intake.claims import claims_on
from app.intake.encoding import decoded
from app.intake.format import Format
from app.intake.handing_over import hand_over
from app.intake.incoming import IncomingBody, Reading, Rejected
from app.intake.reading import read_alerts
from app.intake.registry import all_formats
from app.intake.sizes import SizeLimits
from app.intake.urlencoded import read_pairs
from app.pipeline.ingest import Taker

JSON = b"application/json"
METHODS = sorted(LOOKING | POSTING)
LONG_BODY = 256 * 1024  # bytes; to parse more takes more than a millisecond, in which other posts would wait
BySignature = Callable[[AsgiScope, Fields, bytes], Principal | Problem]


def nobody_signs(_scope: AsgiScope, _fields: Fields, _body: bytes) -> Problem:
    """Return what is answered to a signature where no token has a secret to sign with."""
    return problems.unauthorized("The signature is not that of any token.")


class AlertsEndpoint:
    """Answers a POST or PUT to `/alerts`, and to `/alerts/{format}`. `not_understood` counts bodies mailed raw."""

    def __init__(
        self,
        once: Taker,
        *,
        clock: Clock,
        body_limit: int,
        attachments_limit: int,
        by_signature: BySignature = nobody_signs,
    ) -> None:
        """Both limits are in bytes; that of the attachments holds for each alert, and 0 means that none are taken.

        `by_signature` says who signed a body that came without a token, or what is answered to it.
        """
        self._once = once
        self._clock = clock
        self._limits = SizeLimits(body_limit, attachments_limit)
        self._bodies = Bodies(self._limits)
        self._by_signature = by_signature
        self._parses_long = asyncio.Lock()
        self._log = structlog.get_logger().bind()  # bound once: it writes a line for every alert
        self.not_understood = 0
        # Whoever sends a broken body is told so; the log has no use for it.
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["method"] not in POSTING:
            return await answer_problem(send, problems.method_not_allowed(METHODS))
        fields: Fields = dict(scope["headers"])
        try:
            is_stranger = scope["state"]["principal"] is None  # no token proves who sends this
            room = self._bodies.admit(fields, stranger=client_of(scope) if is_stranger else None)
            try:
                receipt, ids = await self._take(scope, receive, fields, room)
            finally:
                room.release()
        except BodyTooLarge as error:
            problem = problems.content_too_large(error.limit)
        except Rejected as rejected:
            problem = rejected.problem
        except KeyReused as error:
            problem = problems.key_reused(str(error))
        except JournalUnavailable as error:
            problem = problems.service_unavailable(f"{error}.", retry_after=error.retry_after)
        else:
            return await _answer_accepted(send, receipt, ids)
        return await answer_problem(send, problem)

    async def _take(self, scope: AsgiScope, receive: Receive, fields: Fields, room: Room) -> tuple[Receipt, list[str]]:
        """Return the receipt, and its ids as people see them."""
        named = _named_format(scope["path"])
        body = await read_body(scope, receive, room.limit, self._bodies.counter(room))
        principal = self._principal(scope, fields, body)
        if scope["state"]["principal"] is None:
            self._bodies.prove(room, len(body))
        incoming = IncomingBody(body, fields, scope["query_string"], self._clock.now())
        reading = await self._read(incoming, named)
        claims = claims_on(incoming, reading, principal, format_name=named.name if named else "")
        reading = addressed(reading, principal, _receivers(scope["query_string"]))
        by_key: dict[str, Any] = {"by_key": True} if claims else {}
        receipt, ids = await hand_over(self._once, reading, claims, self._log, door="http", **by_key)
        self.not_understood += not reading.understood
        return receipt, ids

    def counts(self) -> Mapping[str, int]:
        """Return what operators may want to know of the bodies since the start."""
        return {"not_understood": self.not_understood}

    def _principal(self, scope: AsgiScope, fields: Fields, body: bytes) -> Principal:
        """Return who sends this. The gate knows by the token, or leaves it to the signature of the body."""
        known: Principal | None = scope["state"]["principal"]
        principal = known or self._by_signature(scope, fields, body)
        if isinstance(principal, Problem):
            raise Rejected(principal)
        if not principal.may(Scope.SEND):
            raise Rejected(problems.forbidden("This token may not send alerts; its scopes do not hold `send`."))
        return principal

    async def _read(self, incoming: IncomingBody, named: Format | None) -> Reading:
        """Return the alerts of the body.

        Long bodies are parsed in a thread, one at a time: the memory that this takes besides is taken once.
        """
        warnings: tuple[str, ...] = ()
        if b"content-encoding" in incoming.fields:
            incoming, warnings = decoded(incoming, self._limits.body)
        if len(incoming.body) <= LONG_BODY:
            reading = read_alerts(incoming, self._limits, named=named)
        else:
            async with self._parses_long:
                reading = await asyncio.to_thread(read_alerts, incoming, self._limits, named=named)
        return replace(reading, warnings=warnings + reading.warnings) if warnings else reading


def _named_format(path: str) -> Format | None:
    name = path.removeprefix(ALERTS).strip("/")
    if not name:
        return None
    known = all_formats()
    if name not in known:
        raise Rejected(problems.not_found(f"There is no format of this name. There are {', '.join(sorted(known))}."))
    return known[name]


def _receivers(query: bytes) -> tuple[str, ...]:
    """Return the receivers that the URL names: /alerts?receiver=dba, so that a webhook of a team goes to it."""
    if b"receiver=" not in query:
        return ()
    pairs, _ = read_pairs(query)
    return tuple(value for name, value in pairs if name == "receiver" and value)


async def _answer_accepted(send: Send, receipt: Receipt, ids: Sequence[str]) -> None:
    tail = f',"warnings":{json.dumps(receipt.warnings)}' if receipt.warnings else ""
    if receipt.is_batch or len(ids) != 1:
        quoted = ",".join(f'"{name}"' for name in ids)
        body = f'{{"accepted":{len(ids)},"ids":[{quoted}]{tail}}}'
        await answer(send, 202, body.encode(), JSON)
    else:
        body = f'{{"id":"{ids[0]}","status":"accepted"{tail}}}'
        await answer(send, 202, body.encode(), JSON, [(b"location", f"/alerts/{ids[0]}".encode())])
