"""`/alerts/{id}/ack`: somebody sees to an alert, or does so no longer."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.domain.acknowledgement import AckEvent
from app.domain.ids import format_id, parse_id
from app.domain.ports import Acknowledger, Clock
from app.httpkit import problems
from app.httpkit.limits import BodyTooLarge
from app.web.ack_requests import BODY, DoorInQuery, WhoInQuery, read_acknowledgement, taken_back
from app.web.errors import problem_response
from app.web.openapi import ACKNOWLEDGED, TAKEN_BACK, Responses, example, problem
from app.web.shapes import acknowledgement

NONE_SUCH = "No alert has this id, or it is older than the retention."
ANSWERS: Responses = {
    404: problem("No such alert, or it was pruned"),
    422: problem("A bad parameter, or a time that is over or too far away"),
    503: problem("The journal cannot be written just now; see Retry-After"),
}
TOO_LARGE: Responses = {413: problem("The body is larger than a name and a time")}


def acknowledgements_router(acknowledger: Acknowledger, *, clock: Clock) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["alerts"])

    @router.post(
        "/alerts/{alert_id}/ack",
        summary="Acknowledge an alert: until that ends, no delay notice and no further alarm goes out for it",
        responses=ANSWERS | TOO_LARGE | {200: example(ACKNOWLEDGED)},
        openapi_extra=BODY,
    )
    async def acknowledge_alert(request: Request, alert_id: str) -> Response:
        try:
            event = await read_acknowledgement(request, clock.now())
        except BodyTooLarge as error:
            return problem_response(problems.content_too_large(error.limit, what="An acknowledgement"))
        return await _taken(acknowledger, alert_id, event, shown=acknowledgement(event))

    @router.delete(
        "/alerts/{alert_id}/ack",
        summary="Take an acknowledgement back",
        responses=ANSWERS | {200: example(TAKEN_BACK) | {"description": "Done; `acknowledged` is null now"}},
    )
    async def take_acknowledgement_back(
        request: Request, alert_id: str, who: WhoInQuery = "", how: DoorInQuery = "http"
    ) -> Response:
        return await _taken(acknowledger, alert_id, taken_back(request, clock.now(), who=who, how=how), shown=None)

    return router


async def _taken(
    acknowledger: Acknowledger, alert_id: str, event: AckEvent, *, shown: dict[str, Any] | None
) -> Response:
    """Record the event, and return what stands of it."""
    number = parse_id(alert_id)
    if number is None or not await acknowledger.acknowledge(number, event):
        return problem_response(problems.not_found(NONE_SUCH))
    return JSONResponse({"id": format_id(number), "acknowledged": shown})
