"""`GET /alerts` and `GET /alerts/{id}`: what became of an alert, recipient by recipient."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from app.domain.alert import Alert, Severity
from app.domain.envelope import Delivery, EnvelopeState
from app.domain.ids import format_id, parse_id
from app.domain.ports import AlertArchive
from app.domain.report import STATE_NAMES, AlertReport, AlertState, AlertSummary, EnvelopeReport
from app.httpkit import problems
from app.web.errors import problem_response

MAX_PAGE = 500
STORED_STATES = {name: stored for stored, name in STATE_NAMES.items()}


def alerts_router(archive: AlertArchive, is_sending: Callable[[int], bool]) -> APIRouter:
    """Return the routes. `is_sending` tells whether an attempt at an envelope is under way."""
    router = APIRouter(tags=["alerts"])
    show = _Show(is_sending)

    @router.get("/alerts", summary="Alerts, newest first", responses={422: {"description": "A bad parameter"}})
    async def list_alerts(
        state: Annotated[AlertState | None, Query(description="`sending` is listed under `queued`")] = None,
        severity: Severity | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        before = parse_id(cursor) if cursor else None
        if cursor and before is None:
            return problem_response(
                problems.bad_request("cursor: not one of ours; give back the `next` of a page unchanged")
            )
        page = await archive.page(before=before, limit=limit, state=_stored(state), severity=severity)
        following = None if page.next_before is None else format_id(page.next_before)
        return JSONResponse({"alerts": [show.summary(alert) for alert in page.alerts], "next": following})

    @router.get(
        "/alerts/{alert_id}",
        summary="One alert, and the outcome for each recipient",
        responses={404: {"description": "No such alert, or it was pruned"}},
    )
    async def show_alert(alert_id: str) -> Response:
        number = parse_id(alert_id)
        report = None if number is None else await archive.find(number)
        if report is None:
            return problem_response(problems.not_found("No alert has this id, or it is older than the retention."))
        return JSONResponse(show.report(report))

    return router


def _stored(state: AlertState | None) -> EnvelopeState | None:
    if state is None:
        return None
    return STORED_STATES.get(state, EnvelopeState.OPEN)


class _Show:
    """Puts reports into JSON."""

    def __init__(self, is_sending: Callable[[int], bool]) -> None:
        self._is_sending = is_sending

    def summary(self, alert: AlertSummary) -> dict[str, Any]:
        return {
            "id": format_id(alert.id),
            "received_at": _time(alert.received_at),
            "state": self._state(alert.state, alert.envelope_id),
            "severity": alert.severity,
            "status": alert.status,
            "subject": alert.subject,
            "source": alert.source,
        }

    def report(self, report: AlertReport) -> dict[str, Any]:
        accepted = report.accepted
        states = [self._state(envelope.state, envelope.id) for envelope in report.envelopes]
        return {
            "id": format_id(accepted.id),
            "received_at": _time(accepted.received_at),
            "state": states[0] if states else AlertState.QUEUED,
            **_alert(accepted.alert),
            "mails": [self._mail(envelope) for envelope in report.envelopes],
        }

    def _mail(self, envelope: EnvelopeReport) -> dict[str, Any]:
        finished = envelope.finished_at
        return {
            "id": format_id(envelope.id),
            "state": self._state(envelope.state, envelope.id),
            "made_at": _time(envelope.made_at),
            "finished_at": None if finished is None else _time(finished),
            "next_attempt_at": _time(envelope.due_at) if finished is None else None,
            "recipients": [
                _recipient(envelope.letterhead.recipients[delivery.position].address, delivery)
                for delivery in envelope.deliveries
            ],
        }

    def _state(self, state: EnvelopeState, envelope_id: int) -> AlertState:
        if state is EnvelopeState.OPEN and self._is_sending(envelope_id):
            return AlertState.SENDING
        return STATE_NAMES[state]


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "subject": alert.subject,
        "content": alert.content,
        "severity": alert.severity,
        "status": alert.status,
        "source": alert.source,
        "labels": dict(alert.labels),
        "key": alert.key,
        "starts_at": alert.starts_at and _time(alert.starts_at),
        "ends_at": alert.ends_at and _time(alert.ends_at),
        "links": [{"url": link.url, "title": link.title} for link in alert.links],
        "extra": dict(alert.extra),
        "notes": list(alert.notes),
    }


def _recipient(address: str, delivery: Delivery) -> dict[str, Any]:
    return {
        "address": address,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_attempt_at": delivery.last_attempt_at and _time(delivery.last_attempt_at),
        "relay": delivery.relay,
        "reply": delivery.reply,
        "reason": delivery.reason,
        "possibly_twice": delivery.ambiguous,
    }


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
