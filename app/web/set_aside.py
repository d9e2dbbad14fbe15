"""`/set-aside`: recipients whose mails bounced too often, and how they get mail again."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from app.domain.bounce import SetAsideAddress
from app.domain.ports import SetAsideStore
from app.httpkit import problems
from app.web.errors import problem_response
from app.web.openapi import RELEASED, SET_ASIDE, example, problem
from app.web.shapes import time_text

NONE_SUCH = "This address is not set aside; GET /set-aside lists those that are (mailalert queue aside)."


def set_aside_router(store: SetAsideStore, *, on_release: Callable[[str], None]) -> APIRouter:
    """Return the routes. `on_release` is called with an address that was released, so that who sends knows of it."""
    router = APIRouter(tags=["set aside"])

    @router.get(
        "/set-aside",
        summary="Recipients that get no mail any more, because too much of it came back",
        responses={200: example(SET_ASIDE)},
    )
    async def list_set_aside() -> Response:
        return JSONResponse({"set_aside": [_shown(entry) for entry in await store.set_aside()]})

    @router.delete(
        "/set-aside/{address:path}",  # the local part of an address may hold a slash
        summary="Let an address have mail again; its bounces are counted anew",
        responses={
            200: example(RELEASED),
            404: problem("The address is not set aside"),
            503: problem("The journal cannot be written just now; see Retry-After"),
        },
    )
    async def release_address(address: str) -> Response:
        if not await store.release(address):
            return problem_response(problems.not_found(NONE_SUCH))
        on_release(address)
        return JSONResponse({"address": address, "status": "released"})

    return router


def _shown(entry: SetAsideAddress) -> dict[str, Any]:
    return {
        "address": entry.address,
        "bounces": entry.bounces,
        "since": time_text(entry.since),
        "reply": entry.reply,
    }
