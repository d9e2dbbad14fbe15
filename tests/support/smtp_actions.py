"""What a scripted server may do at a step, besides replying."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Drop:
    """Send `first`, then cut the connection. At BODY it is cut in the middle of the content.

    `takes`: at DOT the mail is stored all the same, and only the client does not learn of it.
    """

    first: bytes = b""
    takes: bool = False


@dataclass(frozen=True)
class HangUp:
    """Reply, and a while later say `last_words` without being asked, and close."""

    reply: str
    last_words: bytes = b""
    after_s: float = 0.05


@dataclass(frozen=True)
class Hang:
    """Never answer."""


@dataclass(frozen=True)
class Delay:
    """Wait, then reply."""

    seconds: float
    reply: str | bytes


@dataclass(frozen=True)
class Split:
    """Send the reply one byte at a time, with a pause between them."""

    reply: str
    pause_s: float = 0


@dataclass(frozen=True)
class Flood:
    """Send the same bytes for as long as the client listens."""

    data: bytes


@dataclass(frozen=True)
class Wait:
    """Reply once `event` is set; `reached` is set when the step is."""

    reply: str
    event: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)


Action = str | bytes | Drop | HangUp | Hang | Delay | Split | Flood | Wait
Script = Action | Sequence[Action] | Callable[[str], Action | None]


def takes_the_mail(action: Action) -> bool:
    """Tell whether a server that does this at DOT has the mail from then on."""
    match action:
        case Drop(takes=takes):
            return takes
        case str() | bytes():
            return action[:1] in {"2", b"2"}
        case HangUp(reply=reply) | Delay(reply=reply) | Split(reply=reply) | Wait(reply=reply):
            return takes_the_mail(reply)
        case _:
            return False
