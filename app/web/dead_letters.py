"""`/dead-letters`: the mails that failed for some recipient, and what people do about them."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from app.domain.dead_letter import DeadLetter
from app.domain.ids import format_id, parse_id
from app.domain.ports import DeadLetterStore, FreshStart
from app.httpkit import problems
from app.web.errors import problem_response
from app.web.openapi import DEAD_LETTERS, DROPPED, MANY_RETRIED, RETRIED, Responses, example, problem
from app.web.paging import MAX_PAGE, Limit, Position, cursor_text
from app.web.shapes import recipient, time_text

NONE_SUCH = "No dead letter has this id; GET /dead-letters lists them (mailalert queue list --state failed)."
MISSING: Responses = {404: problem("No dead letter has this id")}
FULL: Responses = {503: problem("The journal has no room for it just now; see Retry-After")}
WRONG: Responses = {400: problem("The cursor is none of ours"), 422: problem("A bad parameter")}


def dead_letters_router(
    store: DeadLetterStore, *, start: Callable[[], FreshStart], wake: Callable[[], None]
) -> APIRouter:
    """Return the routes. `start` gives what a mail that is sent again starts with; `wake` tells the queue of it."""
    router = APIRouter(tags=["dead letters"])

    @router.get(
        "/dead-letters", summary="Mails that failed, newest first", responses=WRONG | {200: example(DEAD_LETTERS)}
    )
    async def list_dead_letters(cursor: Position, limit: Limit = 50) -> Response:
        page = await store.dead_letters(before=cursor or None, limit=limit)
        return JSONResponse({"dead_letters": list(map(_shown, page.letters)), "next": cursor_text(page.next_before)})

    @router.delete(
        "/dead-letters/{letter_id}",
        summary="Give one up, on the record; named by its id or its alert's",
        responses=MISSING | {200: example(DROPPED)},
    )
    async def drop_dead_letter(letter_id: str) -> Response:
        number = parse_id(letter_id)
        if number is None or not await store.drop(number, start().at):
            return problem_response(problems.not_found(NONE_SUCH))
        return JSONResponse({"id": format_id(number), "status": "dropped"})

    _add_retries(router, store, start, wake)
    return router


def _add_retries(
    router: APIRouter, store: DeadLetterStore, start: Callable[[], FreshStart], wake: Callable[[], None]
) -> None:
    @router.post(
        "/dead-letters/retry",
        status_code=202,
        summary="Send dead letters again, the oldest first; go on with `next` until it is null",
        responses=WRONG | FULL | {202: example(MANY_RETRIED)},
    )
    async def retry_dead_letters(cursor: Position, limit: Limit = MAX_PAGE) -> Response:
        step = await store.retry_some(limit, start(), after=cursor)
        wake()
        return JSONResponse({"retried": step.retried, "next": cursor_text(step.after)}, status_code=202)

    @router.post(
        "/dead-letters/{letter_id}/retry",
        status_code=202,
        summary="Send one again, to the recipients for whom it failed; named by its id or its alert's",
        responses=MISSING | FULL | {202: example(RETRIED)},
    )
    async def retry_dead_letter(letter_id: str) -> Response:
        number = parse_id(letter_id)
        if number is None or not await store.retry(number, start()):
            return problem_response(problems.not_found(NONE_SUCH))
        wake()
        return JSONResponse({"id": format_id(number), "status": "queued"}, status_code=202)


def _shown(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": format_id(letter.envelope_id),
        "alert_id": format_id(letter.alert_id),
        "failed_at": time_text(letter.failed_at),
        "severity": letter.severity,
        "subject": letter.subject,
        "recipients": [recipient(mailbox.address, delivery) for mailbox, delivery in letter.failed],
    }
