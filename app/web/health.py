"""`GET /healthz`: whether alerts can be accepted durably, and whether mail leaves. Reads memory only."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.domain.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """The state of the parts at one moment. Empty strings mean that all is well."""

    closing: bool
    journal_fault: str
    relay_fault: str
    queue_fault: str
    blocked_for: timedelta
    queue_depth: int
    oldest_open_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Judges the vitals. Mail that cannot leave for `degraded_after` makes the daemon degraded, not down."""

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
        if blocked or vitals.queue_fault:
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
