"""`/heartbeats`: pings of dead man's switches, what is known of them, and how to remove one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from app.domain.heartbeat import NAME_PATTERN, HeartbeatRecord
from app.domain.ping import MAX_OUTPUT
from app.httpkit import problems
from app.httpkit.limits import BodyTooLarge
from app.httpkit.problems import Problem
from app.pipeline.heartbeat_wanted import HeartbeatInSettings, TooManyHeartbeats, UnknownHeartbeat, Wanted
from app.pipeline.heartbeats import MAX_AD_HOC, HeartbeatDesk
from app.web.errors import problem_response
from app.web.heartbeat_requests import SIGNAL_PATTERN, ping_of, read_end, read_wanted
from app.web.heartbeat_shapes import HEARTBEATS, heartbeat_shape
from app.web.openapi import Responses, example, problem

OK = "OK"
RAISED = "Alert-Raised"  # tells `mailalert run` whether a failure still has to be told
METHODS = ("GET", "HEAD", "POST")
UNKNOWN = (
    "No heartbeat has this name. Its first ping makes one if it says when the next is due: ?period=1d&grace=1h, "
    "or ?cron=0+3+*+*+*&tz=Europe/Berlin. Or name it in [[heartbeats]] of the settings."
)
NONE_SUCH = "No heartbeat has this name; GET /heartbeats lists them."
TOO_MANY = (
    f"There are {MAX_AD_HOC} heartbeats that pings have made. Remove some by DELETE /heartbeats/NAME, "
    "or name this one in [[heartbeats]] of the settings."
)
IN_SETTINGS = "This heartbeat stands in [[heartbeats]] of the settings; remove it there and restart the daemon."
PINGED: Responses = {
    200: {
        "description": "The ping is on the disk",
        "headers": {
            RAISED: {
                "description": "Whether an alert came of it; of failures in a row that is the first alone",
                "schema": {"type": "string", "enum": ["yes", "no"]},
            }
        },
        "content": {"text/plain": {"schema": {"type": "string"}, "example": OK}},
    },
    403: problem("A page of another origin sent this, or the token may not send"),
    404: problem("No heartbeat has this name, and nothing says when the next ping is due"),
    409: problem(f"Pings have made {MAX_AD_HOC} heartbeats already"),
    422: problem("A bad name, signal or parameter"),
    503: problem("The journal cannot be written just now; ping again after Retry-After"),
}
OUTPUT = {
    "requestBody": {
        "description": f"What the job has printed; the last {MAX_OUTPUT} bytes are kept, and attached to the alert",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "dump of db1: 4.2 GB in 312 s"}},
    }
}
TOO_LARGE: Responses = {413: problem("The output is too large to take its end")}

HeartbeatName = Annotated[
    str, Path(pattern=f"^({NAME_PATTERN})$", description="Letters, digits, dots, hyphens and underscores")
]
Signal = Annotated[str, Path(pattern=f"^({SIGNAL_PATTERN})$", description="`start`, `fail`, or an exit code, 0 to 255")]
Asked = Annotated[Wanted, Depends(read_wanted)]


def heartbeats_router(desk: HeartbeatDesk) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["heartbeats"])

    @router.get("/heartbeats", summary="All heartbeats, by name", responses={200: example(HEARTBEATS)})
    async def list_heartbeats() -> Response:
        # In a thread: cron is asked for each, and there may be a thousand.
        shapes = await asyncio.to_thread(_shapes, desk.records())
        return JSONResponse({"heartbeats": shapes})

    @router.delete(
        "/heartbeats/{name}",
        status_code=204,
        summary="Remove one that a ping has made",
        responses={
            204: {"description": "Removed"},
            404: problem("No heartbeat has this name"),
            409: problem("It stands in the settings"),
            422: problem("A bad name"),
            503: problem("The journal cannot be written just now; see Retry-After"),
        },
    )
    async def remove_heartbeat(name: HeartbeatName) -> Response:
        return await _answered(desk.remove(name), Response(status_code=204), unknown=NONE_SUCH)

    for method in METHODS:
        _add_pings(router, desk, method)
    return router


def _add_pings(router: APIRouter, desk: HeartbeatDesk, method: str) -> None:
    async def take_ping(request: Request, name: str, signal: str, wanted: Wanted) -> Response:
        try:
            output = await read_end(request) if method == "POST" else b""
        except BodyTooLarge as error:
            return problem_response(_too_large(error.limit))
        done = PlainTextResponse(OK)

        async def ping() -> None:
            is_raised = await desk.ping(name, ping_of(signal), output=output, wanted=wanted)
            done.headers[RAISED] = "yes" if is_raised else "no"

        return await _answered(ping(), done, unknown=UNKNOWN)

    async def ping_heartbeat(request: Request, name: HeartbeatName, wanted: Asked) -> Response:
        return await take_ping(request, name, "", wanted)

    async def signal_heartbeat(request: Request, name: HeartbeatName, signal: Signal, wanted: Asked) -> Response:
        return await take_ping(request, name, signal, wanted)

    def add(path: str, endpoint: Callable[..., Awaitable[Response]], summary: str) -> None:
        router.add_api_route(
            path,
            endpoint,
            methods=[method],
            operation_id=f"{endpoint.__name__}_{method.lower()}",
            response_class=PlainTextResponse,
            summary=summary,
            responses=PINGED | (TOO_LARGE if method == "POST" else {}),
            openapi_extra=OUTPUT if method == "POST" else None,
        )

    add("/heartbeats/{name}", ping_heartbeat, "Ping: it is alive, or the run has succeeded")
    add("/heartbeats/{name}/{signal}", signal_heartbeat, "Ping: a run starts, has failed, or ended with an exit code")


def _shapes(records: Sequence[HeartbeatRecord]) -> list[dict[str, Any]]:
    return [heartbeat_shape(record) for record in records]


def _too_large(limit_bytes: int) -> Problem:
    detail = f"The output may hold at most {limit_bytes} bytes; its end is what matters, so send that."
    return Problem(413, "Content Too Large", detail, type="/problems/content-too-large")


async def _answered(work: Awaitable[None], done: Response, *, unknown: str) -> Response:
    """Return `done` once the work is, else why it is not."""
    try:
        await work
    except UnknownHeartbeat:
        return problem_response(problems.not_found(unknown))
    except TooManyHeartbeats:
        return problem_response(Problem(409, "Conflict", TOO_MANY))
    except HeartbeatInSettings:
        return problem_response(Problem(409, "Conflict", IN_SETTINGS))
    return done
