"""Calls of an ASGI application without a server: a scope, what it receives, and what it sends."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.httpkit.limits import Message, Scope


def http_scope(method: str = "GET", path: str = "/", *headers: tuple[bytes, bytes], http_version: str = "1.1") -> Scope:
    """Return a scope as uvicorn makes it."""
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"secret=1",
        "http_version": http_version,
        "headers": list(headers),
        "state": {},
    }


@dataclass(slots=True)
class Exchange:
    """Hands out the messages it is given, and keeps those that are sent."""

    messages: list[Message] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)

    async def receive(self) -> Message:
        """Return the next message."""
        return self.messages.pop(0)

    async def send(self, message: Message) -> None:
        """Keep `message`; like uvicorn, take no second start."""
        if self.sent and message["type"] == "http.response.start":
            raise RuntimeError("the response has begun")
        self.sent.append(message)

    @property
    def status(self) -> int:
        """The status that was sent."""
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The header fields that were sent."""
        return dict(self.sent[0]["headers"])


def body_messages(*pieces: bytes) -> Sequence[dict[str, Any]]:
    """Return the messages in which a body comes, one for each piece."""
    return [
        {"type": "http.request", "body": piece, "more_body": position < len(pieces)}
        for position, piece in enumerate(pieces, start=1)
    ]
