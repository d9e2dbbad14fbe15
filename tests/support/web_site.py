"""The pages of the daemon without a server: the routes over a journal in memory."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from app.domain.access import Principal
from app.domain.ports import FreshStart
from app.web.acknowledgements import acknowledgements_router
from app.web.alerts import alerts_router
from app.web.dead_letters import dead_letters_router
from app.web.errors import answer_errors_as_problems
from app.web.health import HealthCheck, health_router
from app.web.metrics import metrics_router
from app.web.set_aside import set_aside_router
from tests.support.asgi_calls import Exchange, http_scope
from tests.support.clock import FakeClock
from tests.support.memory_journal import MemoryJournal
from tests.support.vitals import WELL


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON, in which there is no NaN."""
        return json.loads(self.body, parse_constant=lambda name: f"not JSON: {name}")


class Site:
    """Answers requests as the gate hands them on."""

    def __init__(self) -> None:
        self.journal = MemoryJournal(backlog_limit=10)
        self.clock = FakeClock()
        self.sending: set[int] = set()
        self.vitals = WELL
        self.woken = 0  # how often the queue was told that mail waits
        self.released: list[str] = []  # addresses of which it was told
        check = HealthCheck(
            vitals=lambda: self.vitals,
            clock=self.clock,
            version="1.2.3",
            started=self.clock.monotonic(),
            degraded_after=timedelta(minutes=5),
            counts=lambda: {"not_understood": 3},
        )
        self._app = FastAPI(docs_url=None, redoc_url=None)
        self._app.include_router(alerts_router(self.journal, self.sending.__contains__, clock=self.clock))
        self._app.include_router(acknowledgements_router(self.journal, clock=self.clock))
        self._app.include_router(set_aside_router(self.journal.mailbox, on_release=self.released.append))
        self._app.include_router(dead_letters_router(self.journal, start=self._start, wake=self._wake))
        self._app.include_router(health_router(check))
        self._app.include_router(metrics_router(check))
        answer_errors_as_problems(self._app)

    def _start(self) -> FreshStart:
        return FreshStart(at=self.clock.now(), usable_seconds=7, running_seconds=8)

    def _wake(self) -> None:
        self.woken += 1

    @property
    def document(self) -> dict[str, Any]:
        """What the OpenAPI document says."""
        return self._app.openapi()

    async def get(
        self,
        target: str,
        *,
        method: str = "GET",
        authenticated: bool = True,
        body: bytes = b"",
        principal: Principal | None = None,
    ) -> Answer:
        """Return the answer to a request."""
        path, _, query = target.partition("?")
        scope = http_scope(method, path)
        scope |= {"query_string": query.encode(), "state": {"authenticated": authenticated, "principal": principal}}
        exchange = Exchange([{"type": "http.request", "body": body, "more_body": False}])
        async with asyncio.timeout(30):
            await self._app(scope, exchange.receive, exchange.send)
        headers = {name.decode(): value.decode() for name, value in exchange.headers.items()}
        body = b"".join(message.get("body", b"") for message in exchange.sent[1:])
        return Answer(exchange.status, headers, body)
