"""`GET /alerts` and `GET /alerts/{id}`: what became of an alert, recipient by recipient."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from app.domain.acknowledgement import standing
from app.domain.alert import Alert, Severity
from app.domain.envelope import EnvelopeState
from app.domain.ids import format_id, parse_id
from app.domain.ports import AlertArchive, Clock
from app.domain.report import STATE_NAMES, AlertReport, AlertState, AlertSummary, EnvelopeReport
from app.httpkit import problems
from app.web.errors import problem_response
from app.web.openapi import ALERT, ALERTS, example, problem
from app.web.paging import Limit, Position, cursor_text
from app.web.shapes import acknowledgement, recipient, time_text

STORED_STATES = {name: stored for stored, name in STATE_NAMES.items()}


def alerts_router(archive: AlertArchive, is_sending: Callable[[int], bool], *, clock: Clock) -> APIRouter:
    """Return the routes. `is_sending` tells whether an attempt at an envelope is under way."""
    router = APIRouter(tags=["alerts"])
    show = _Show(is_sending, clock)

    @router.get(
        "/alerts",
        summary="Alerts, newest first",
        responses={200: example(ALERTS), 400: problem("The cursor is none of ours"), 422: problem("A bad parameter")},
    )
    async def list_alerts(
        cursor: Position,
        state: Annotated[AlertState | None, Query(description="`sending` is listed under `queued`")] = None,
        severity: Severity | None = None,
        limit: Limit = 50,
    ) -> Response:
        page = await archive.page(before=cursor or None, limit=limit, state=_stored(state), severity=severity)
        lines = [show.summary(alert) for alert in page.alerts]
        return JSONResponse({"alerts": lines, "next": cursor_text(page.next_before)})

    @router.get(
        "/alerts/{alert_id}",
        summary="One alert, and the outcome for each recipient",
        responses={200: example(ALERT), 404: problem("No such alert, or it was pruned")},
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

    def __init__(self, is_sending: Callable[[int], bool], clock: Clock) -> None:
        self._is_sending = is_sending
        self._clock = clock

    def summary(self, alert: AlertSummary) -> dict[str, Any]:
        return {
            "id": format_id(alert.id),
            "received_at": time_text(alert.received_at),
            "state": self._state(alert.state, *alert.envelope_ids),
            "severity": alert.severity,
            "status": alert.status,
            "subject": alert.subject,
            "source": alert.source,
        }

    def report(self, report: AlertReport) -> dict[str, Any]:
        accepted = report.accepted
        mails = [envelope for envelope in report.envelopes if envelope.state is not EnvelopeState.KEPT]
        held = standing(report.acknowledgements, self._clock.now())
        return {
            "id": format_id(accepted.id),
            "received_at": time_text(accepted.received_at),
            "state": self._state(report.state, *(envelope.id for envelope in mails)),
            **_alert(accepted.alert),
            "acknowledged": held and acknowledgement(held),
            "acknowledgements": [
                {"action": event.action, **acknowledgement(event)} for event in report.acknowledgements
            ],
            "mails": [self._mail(envelope) for envelope in mails],
        }

    def _mail(self, envelope: EnvelopeReport) -> dict[str, Any]:
        finished = envelope.finished_at
        return {
            "id": format_id(envelope.id),
            "receiver": envelope.letterhead.receiver,
            "state": self._state(envelope.state, envelope.id),
            "made_at": time_text(envelope.made_at),
            "finished_at": None if finished is None else time_text(finished),
            "next_attempt_at": time_text(envelope.due_at) if finished is None else None,
            "without_attachments": envelope.without_attachments,
            "events": [{"at": time_text(event.at), "kind": event.kind} for event in envelope.events],
            "recipients": [
                recipient(envelope.letterhead.recipients[delivery.position].address, delivery)
                for delivery in envelope.deliveries
            ],
        }

    def _state(self, state: EnvelopeState, *envelope_ids: int) -> AlertState:
        if state is EnvelopeState.OPEN and any(map(self._is_sending, envelope_ids)):
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
        "starts_at": alert.starts_at and time_text(alert.starts_at),
        "ends_at": alert.ends_at and time_text(alert.ends_at),
        "links": [{"url": link.url, "title": link.title} for link in alert.links],
        "extra": dict(alert.extra),
        "notes": list(alert.notes),
        "to": [mailbox.address for mailbox in alert.to],
        "receivers": list(alert.receivers),
        "attachments": [
            {"name": file.name, "content_type": file.content_type, "size_bytes": file.size_bytes}
            for file in alert.attachments
        ],
    }
