"""What one client may cost: bounds on connections, heads, bodies and waiting, and a bounded read of a body."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from app.domain.errors import MailAlertError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """The bounds that hold before any handler runs. Times are seconds; a test passes shorter ones."""

    connections: int = 1000  # at 64 KiB and less for each, they fit beside everything else in 200 MB
    head_bytes: int = 32 * 1024  # request line and fields together: what nginx takes by default (4 × 8 KiB)
    head_fields: int = 100  # what Apache takes by default; each costs far more in memory than its bytes
    pipelined: int = 32  # requests read ahead of the answer under way; no client in use today sends more than one
    head_seconds: float = 10
    body_seconds: float = 30  # counted from the first byte of the request; and more for a body that moves:
    body_bytes_per_second: float = 64 * 1024  # a file of 10 MiB may come over a link of 512 kbit/s
    idle_seconds: float = 30  # between two requests of one connection
    write_seconds: float = 30  # an answer of which the client takes no byte
    linger_seconds: float = 2  # after the last answer, for the client to read it: RFC 9112 section 9.6


class BodyTooLarge(MailAlertError):
    """The body is larger than the handler takes, by what Content-Length says or by what came."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes; send less at once")
        self.limit = limit


class ClientDisconnected(MailAlertError):
    """The client went away, or was too slow, before its request was complete. Nobody reads an answer."""


async def read_body(
    scope: Scope, receive: Receive, limit: int, on_growth: Callable[[int], None] | None = None
) -> bytes:
    """Return the body of the request, of at most `limit` bytes.

    `on_growth` hears of each further piece how many bytes there are so far, and may raise to end it.
    Raises BodyTooLarge, before the first byte is asked for if Content-Length tells, and ClientDisconnected.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > limit:
            raise BodyTooLarge(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body", False) and len(body) <= limit:
        return body  # nearly always: the whole request came in one packet
    return await _read_pieces(message, receive, limit, on_growth)


async def _read_pieces(
    message: Message, receive: Receive, limit: int, on_growth: Callable[[int], None] | None
) -> bytes:
    body = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise ClientDisconnected("the client went away before its request was complete")
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLarge(limit)
        if on_growth is not None:
            on_growth(len(body))
        if not message.get("more_body", False):
            return bytes(body)
        message = await receive()
