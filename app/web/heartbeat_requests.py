"""What a request to a heartbeat says: the kind of ping, what is wanted of it, and the end of its body."""

from datetime import timedelta
from typing import Annotated

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request

from app.domain.duration import duration_text, parse_duration
from app.domain.heartbeat import MAX_PERIOD, MIN_PERIOD
from app.domain.heartbeat_schedule import Cron, Every, Schedule
from app.domain.ping import MAX_OUTPUT, Ping, PingKind
from app.httpkit.limits import BodyTooLarge, ClientDisconnected
from app.pipeline.heartbeat_wanted import Wanted

# What is taken in to keep its end; a job whose log is longer is alive all the same, but it must come to an end.
MAX_BODY = 64 * 1024 * 1024
SIGNAL_PATTERN = "start|fail|[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5]"  # an exit code has 8 bits
NAMED_KINDS = {"start": PingKind.START, "fail": PingKind.FAILURE}

Text = str | None


def ping_of(signal: str) -> Ping:
    """Return what the last part of the path says, "" if it says nothing but the name."""
    if signal in NAMED_KINDS:
        return Ping(NAMED_KINDS[signal])
    if not signal:
        return Ping()
    code = int(signal)
    return Ping(PingKind.FAILURE if code else PingKind.SUCCESS, exit_code=code)


async def read_wanted(
    period: Annotated[Text, Query(description='How long after one ping the next is due: "1s" to "366d"')] = None,
    grace: Annotated[Text, Query(description="How late it may be, and how long a run may take; else 1h")] = None,
    cron: Annotated[Text, Query(description='Or when it is due as in a crontab: "0 3 * * *"')] = None,
    tz: Annotated[Text, Query(description="The time zone of cron; else UTC")] = None,
) -> Wanted:
    """Return what the query asks for. Raises RequestValidationError, which is answered with 422."""
    if period is not None and cron is not None:
        raise _wrong("cron", "is given beside period; keep one of them")
    if tz is not None and cron is None:
        raise _wrong("tz", "is the time zone of cron, which is not given")
    schedule: Schedule | None = None
    if period is not None:
        schedule = Every(_duration("period", period))
    elif cron is not None:
        schedule = _cron(cron, tz)
    return Wanted(schedule, None if grace is None else _duration("grace", grace))


def _duration(name: str, text: str) -> timedelta:
    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise _wrong(name, str(error)) from None
    if not MIN_PERIOD <= duration <= MAX_PERIOD:
        raise _wrong(name, f"must be {duration_text(MIN_PERIOD)} to {duration_text(MAX_PERIOD)}")
    return duration


def _cron(expression: str, timezone: str | None) -> Cron:
    try:
        return Cron(expression) if timezone is None else Cron(expression, timezone)
    except ValueError as error:
        raise _wrong("cron", str(error)) from None


def _wrong(name: str, reason: str) -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": ("query", name), "msg": reason}])


async def read_end(request: Request) -> bytes:
    """Return the end of the body, which may be longer than what is kept.

    Raises BodyTooLarge beyond MAX_BODY, and ClientDisconnected.
    """
    end = bytearray()
    total = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected("the client went away before its request was complete")
        piece: bytes = message.get("body", b"")
        total += len(piece)
        if total > MAX_BODY:
            raise BodyTooLarge(MAX_BODY)
        end += piece
        if len(end) > 2 * MAX_OUTPUT:  # not at every piece: each time moves the whole end
            del end[:-MAX_OUTPUT]
        more = message.get("more_body", False)
    return bytes(end[-MAX_OUTPUT:])
