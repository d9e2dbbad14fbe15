"""What a scripted SMTP server may do at a step, besides replying."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Drop:
    """Send `first`, then cut the connection. At BODY it is cut in the middle of the content."""

    first: bytes = b""


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
    """Send the reply one byte at a time."""

    reply: str


@dataclass(frozen=True)
class Wait:
    """Reply once `event` is set; `reached` is set when the step is."""

    reply: str
    event: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)


Action = str | bytes | Drop | Hang | Delay | Split | Wait
Script = Action | Sequence[Action] | Callable[[str], Action | None]
