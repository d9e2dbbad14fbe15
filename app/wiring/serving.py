"""Builds what answers HTTP: the intake's fast path before FastAPI, and the API behind it."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import uvicorn
from fastapi import APIRouter, FastAPI

from app.domain.ports import FreshStart
from app.domain.vitals import Vitals
from app.httpkit.gate import Gate
from app.httpkit.limits import App, Receive, Scope, Send, ServerLimits
from app.httpkit.scopes import SEND, is_for_intake, needed_scope
from app.httpkit.server import server_config
from app.intake.http import AlertsEndpoint
from app.intake.openapi import describe_intake
from app.sandbox.pages import sandbox_router
from app.version import __version__
from app.web.acknowledgements import acknowledgements_router
from app.web.alerts import alerts_router
from app.web.dead_letters import dead_letters_router
from app.web.docs import docs_router
from app.web.errors import answer_errors_as_problems
from app.web.health import HealthCheck, health_router
from app.web.heartbeats import heartbeats_router
from app.web.metrics import metrics_router
from app.web.openapi import ANYWHERE
from app.web.set_aside import set_aside_router
from app.wiring.ground import Ground
from app.wiring.sending import SendingHalf
from app.wiring.taking import TakingHalf


def create_app(ground: Ground, taking: TakingHalf, sending: SendingHalf, vitals: Callable[[], Vitals]) -> App:
    """Return the whole application."""
    # FastAPI's own page of the docs loads scripts from elsewhere.
    api = FastAPI(
        title="Mail Alert System",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=ANYWHERE,
    )
    for router in _routers(ground, taking, sending):
        api.include_router(router)
    http = ground.settings.http
    alerts = AlertsEndpoint(
        taking.once,
        clock=ground.clock,
        body_limit=http.body_limit,
        attachments_limit=http.attachments_limit,
        by_signature=ground.access.by_signature,
    )

    check = _health_check(ground, vitals, counts=alerts.counts)
    api.include_router(health_router(check))
    api.include_router(metrics_router(check))
    answer_errors_as_problems(api)
    describe_intake(api, asks_for_token=ground.access.asks_for_token)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if is_for_intake(scope["method"], scope["path"]):
            await alerts(scope, receive, send)
        else:
            await api(_as_get(scope), receive, send)

    return front


def _routers(ground: Ground, taking: TakingHalf, sending: SendingHalf) -> Iterator[APIRouter]:
    """Yield what people ask, and do."""
    yield alerts_router(ground.journal, sending.queue.is_sending, clock=ground.clock)
    start = partial(_fresh_start, ground, sending)
    yield dead_letters_router(ground.journal, start=start, wake=sending.queue.wake)
    yield acknowledgements_router(taking.acknowledgements, clock=ground.clock)
    yield set_aside_router(ground.journal.mailbox, on_release=taking.set_aside.discard)
    yield heartbeats_router(taking.heartbeats)
    if ground.sandbox:
        yield sandbox_router(ground.sandbox.store, clock=ground.clock)
    yield docs_router()


def _as_get(scope: Scope) -> Scope:
    """RFC 9110 section 9.3.2: HEAD is GET without the content, which the server leaves out. A ping is one by itself."""
    if scope["method"] != "HEAD" or needed_scope("HEAD", scope["path"]) is SEND:
        return scope
    return {**scope, "method": "GET"}


def gated_server(app: App, ground: Ground) -> uvicorn.Config:
    """Return the server's configuration, with the gate before the application."""
    http = ground.settings.http
    gate = Gate(app, access=ground.access, allowed_hosts=frozenset(http.allowed_hosts))
    return server_config(gate, limits=ServerLimits(), trusted_proxies=http.trusted_proxies)


def _health_check(
    ground: Ground, vitals: Callable[[], Vitals], *, counts: Callable[[], Mapping[str, int]]
) -> HealthCheck:
    return HealthCheck(
        vitals=vitals,
        clock=ground.clock,
        version=__version__,
        started=ground.clock.monotonic(),
        degraded_after=ground.settings.degraded_after,
        counts=counts,
    )


def _fresh_start(ground: Ground, sending: SendingHalf) -> FreshStart:
    return FreshStart(
        at=ground.steady.now(),
        usable_seconds=sending.relays.usable_seconds(),
        running_seconds=ground.running.seconds(),
    )
