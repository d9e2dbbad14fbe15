"""`GET /healthz`: whether alerts can be accepted durably, and whether mail leaves. Reads memory only."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.domain.ports import Clock
from app.domain.vitals import RelayVitals


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """The state of the parts at one moment. Empty strings mean that all is well.

    `relay_fault` says why no mail could leave for `blocked_for`. `possibly_twice` counts the mails that the run
    before ended in the midst of.
    """

    closing: bool
    journal_fault: str
    relay_fault: str
    relays: tuple[RelayVitals, ...]
    queue_fault: str
    blocked_for: timedelta
    queue_depth: int
    oldest_open_at: datetime | None
    possibly_twice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Judges the vitals. Mail that cannot leave makes the daemon degraded, not down.

    At once when only other settings can help, after `degraded_after` when waiting may.
    """

    vitals: Callable[[], Vitals]
    clock: Clock
    version: str
    started: float
    degraded_after: timedelta

    def status(self, vitals: Vitals) -> str:
        """Return `ok`, `degraded`, `unavailable` (the journal cannot be written) or `closing`."""
        if vitals.closing:
            return "closing"
        if vitals.journal_fault:
            return "unavailable"
        blocked = vitals.relay_fault and vitals.queue_depth and vitals.blocked_for >= self.degraded_after
        if blocked or vitals.queue_fault or _needs_other_settings(vitals.relays):
            return "degraded"
        return "ok"

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
        }
        if vitals.journal_fault:
            body["journal"] = vitals.journal_fault
        if vitals.queue_fault:
            body["queue"] = vitals.queue_fault
        if vitals.relay_fault:
            body["relay"] = vitals.relay_fault
            body["blocked_seconds"] = int(vitals.blocked_for.total_seconds())
        return body

    def _age(self, moment: datetime) -> int:
        return int((self.clock.now() - moment).total_seconds())


def _needs_other_settings(relays: tuple[RelayVitals, ...]) -> bool:
    """Tell whether no relay works, and waiting helps with none of them."""
    return bool(relays) and all(relay.is_configuration and not relay.usable for relay in relays)


def _relay(relay: RelayVitals) -> dict[str, Any]:
    if relay.usable:
        return {"name": relay.name, "state": "usable"}
    state = "misconfigured" if relay.is_configuration else "unusable"
    return {"name": relay.name, "state": state, "reason": relay.reason}


def health_router(check: HealthCheck) -> APIRouter:
    """Return the route. Details are for those who may read; without the token only the status shows."""
    router = APIRouter()

    @router.get(
        "/healthz",
        tags=["health"],
        summary="Whether alerts can be accepted durably, and whether mail leaves",
        responses={503: {"description": "The journal cannot be written, or the daemon is shutting down"}},
    )
    async def healthz(request: Request) -> JSONResponse:
        vitals = check.vitals()
        status = check.status(vitals)
        body = {"status": status}
        if request.state.authenticated:
            body |= check.details(vitals)
        code = 200 if status in {"ok", "degraded"} else 503
        return JSONResponse(body, status_code=code, headers={"Cache-Control": "no-store"})

    return router
