"""`GET /healthz`: whether alerts can be accepted durably, and whether mail leaves and arrives. Reads memory only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.domain.ports import Clock
from app.domain.vitals import Health, MailboxVitals, ProbeVitals, RelayVitals, Vitals, health_of
from app.web.openapi import HEALTH, example

TAKES_ALERTS = frozenset({Health.OK, Health.DEGRADED})


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """What the route asks, and what it says of the program itself. `started` is monotonic; `counts` are since then."""

    vitals: Callable[[], Vitals]
    clock: Clock
    version: str
    started: float
    degraded_after: timedelta
    counts: Callable[[], Mapping[str, int]]

    def details(self, vitals: Vitals) -> dict[str, Any]:
        """Return what operators want to know beside the status."""
        oldest = vitals.oldest_open_at if vitals.queue_depth else None
        body: dict[str, Any] = {
            "version": self.version,
            "uptime_seconds": int(self.clock.monotonic() - self.started),
            "queue_depth": vitals.queue_depth,
            "oldest_unsent_age_seconds": None if oldest is None else max(0, self._age(oldest)),
            "possibly_twice": vitals.possibly_twice,
            "relays": [_relay(relay) for relay in vitals.relays],
            "since_start": dict(self.counts()),
        }
        if vitals.journal_fault:
            body["journal"] = vitals.journal_fault
        if vitals.queue_fault:
            body["queue"] = vitals.queue_fault
        if vitals.relay_fault:
            body["relay"] = vitals.relay_fault
            body["blocked_seconds"] = int(vitals.blocked_for.total_seconds())
        if vitals.mailbox:
            body["mailbox"] = _mailbox(vitals.mailbox)
        if vitals.probes:
            body["probes"] = [_probe(probe) for probe in vitals.probes]
        return body

    def _age(self, moment: datetime) -> int:
        return int((self.clock.now() - moment).total_seconds())


def _relay(relay: RelayVitals) -> dict[str, Any]:
    if relay.usable:
        return {"name": relay.name, "state": "usable"}
    state = "misconfigured" if relay.is_configuration else "unusable"
    return {"name": relay.name, "state": state, "reason": relay.reason}


def _mailbox(mailbox: MailboxVitals) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": mailbox.name,
        "readable": mailbox.is_readable,
        "last_poll_age_seconds": _seconds(mailbox.last_poll_age),
        "read": mailbox.read,
        "set_aside": mailbox.set_aside,
    }
    if not mailbox.is_readable:
        body |= {"reason": mailbox.reason, "failing_seconds": _seconds(mailbox.failing_for)}
    return body


def _probe(probe: ProbeVitals) -> dict[str, Any]:
    took = probe.round_trip_s
    return {
        "relay": probe.relay,
        "round_trip_seconds": None if took is None else round(took, 3),
        "missing": probe.is_missing,
        "last_arrival_age_seconds": _seconds(probe.last_arrival_age),
    }


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())


def health_router(check: HealthCheck) -> APIRouter:
    """Return the route. Details are for those who may read; without the token only the status shows."""
    router = APIRouter()

    @router.get(
        "/healthz",
        tags=["health"],
        summary="Whether alerts can be accepted durably, and whether mail leaves",
        responses={
            200: example(HEALTH),
            503: example({"status": "unavailable"}) | {"description": "No alert can be accepted durably, or a stop"},
        },
    )
    async def healthz(request: Request) -> JSONResponse:
        vitals = check.vitals()
        health = health_of(vitals, degraded_after=check.degraded_after)
        body: dict[str, Any] = {"status": health}
        if request.state.authenticated:
            body |= check.details(vitals)
        code = 200 if health in TAKES_ALERTS else 503
        return JSONResponse(body, status_code=code, headers={"Cache-Control": "no-store"})

    return router
