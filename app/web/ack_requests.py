"""What a request about an acknowledgement says: who sees to the alert, until when, and by which door that came in."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.json_schema import WithJsonSchema
from starlette.requests import Request

from app.domain.acknowledgement import LONGEST_ACK, AckAction, AckDoor, AckEvent
from app.domain.duration import duration_text, parse_duration
from app.domain.text import one_line
from app.httpkit.limits import read_body

MAX_BODY = 4096  # bytes; a name and a time
MAX_WHO = 254  # characters; an address fits (RFC 5321 section 4.5.3.1.3, brackets aside)
NOBODY_NAMED = "somebody"

WHO = "Who sees to the alert; else the name of the token"
Who = Annotated[str, Field(max_length=MAX_WHO, description=WHO), AfterValidator(one_line)]
Door = Annotated[Literal["http", "command"], Field(description="By which door it comes in")]
Lasts = Annotated[timedelta, BeforeValidator(parse_duration), WithJsonSchema({"type": "string"})]
WhoInQuery = Annotated[str, Query(max_length=MAX_WHO, description=WHO), AfterValidator(one_line)]
DoorInQuery = Annotated[Literal["http", "command"], Query(description="By which door it comes in")]


class AckRequest(BaseModel):
    """An acknowledgement, as it is posted; all of it may be missing."""

    model_config = ConfigDict(strict=True, extra="forbid", title="Acknowledgement")

    lasts: Annotated[
        Lasts | None,
        Field(alias="for", description=f'For how long, as "30m" or "2h"; {duration_text(LONGEST_ACK)} at most'),
    ] = None
    until: Annotated[AwareDatetime | None, Field(description="Or until when. Without both it has no end")] = None
    who: Who = ""
    how: Door = "http"


BODY = {
    "requestBody": {
        "description": "Who sees to it, and for how long; may be missing",
        "content": {
            "application/json": {"schema": AckRequest.model_json_schema(), "example": {"for": "2h", "who": "ann"}}
        },
    }
}


async def read_acknowledgement(request: Request, now: datetime) -> AckEvent:
    """Return the acknowledgement that the body tells, or one without an end if there is none.

    Raises RequestValidationError, which is answered with 422, BodyTooLarge and ClientDisconnected.
    """
    body = await read_body(request.scope, request.receive, MAX_BODY)
    try:
        wanted = AckRequest.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise RequestValidationError([_told(each) for each in error.errors()]) from None
    return AckEvent(
        at=now,
        action=AckAction.ACKNOWLEDGED,
        who=wanted.who or _sender(request),
        how=AckDoor(wanted.how),
        until=_end(wanted, now),
    )


def taken_back(request: Request, now: datetime, *, who: str, how: str) -> AckEvent:
    """Return that an acknowledgement holds no longer."""
    return AckEvent(at=now, action=AckAction.TAKEN_BACK, who=who or _sender(request), how=AckDoor(how))


def _sender(request: Request) -> str:
    principal = request.scope["state"].get("principal")
    return principal.name if principal is not None and principal.name else NOBODY_NAMED


def _end(wanted: AckRequest, now: datetime) -> datetime | None:
    if wanted.lasts is not None and wanted.until is not None:
        raise _wrong("until", "is given beside for; keep one of them")
    if wanted.lasts is not None:
        # Compared before it is added: the end of the calendar is near.
        return _checked("for", now + min(wanted.lasts, 2 * LONGEST_ACK), now)
    return None if wanted.until is None else _checked("until", wanted.until, now)


def _checked(name: str, until: datetime, now: datetime) -> datetime:
    if until <= now:
        raise _wrong(name, "is over already")
    if until > now + LONGEST_ACK:
        raise _wrong(name, f"ends later than in {duration_text(LONGEST_ACK)}; leave it out for no end")
    return until.astimezone(UTC)


def _wrong(name: str, reason: str) -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": ("body", name), "msg": reason}])


def _told(error: Any) -> dict[str, Any]:
    """Return what pydantic says of a field, without what was sent."""
    return {"type": error["type"], "loc": ("body", *error["loc"]), "msg": error["msg"].removeprefix("Value error, ")}
