"""What every scripted server has: connections that are accepted and cut, and a script that says what each step does.

The script of a step is one action for always, a list of which each is used once (then the step behaves well again), or
a function of the line that came (None again means: behave well). An action is an answer, or a class of smtp_actions.
"""

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn, Self

from tests.support.smtp_actions import Action, Delay, Drop, Flood, Hang, HangUp, Script, Split, Wait


class Dropped(Exception):
    """The connection is cut: by the script, or by the client amid what it had to say."""


class Link:
    """One connection. `round_trips` counts how often the client waited for us before it went on."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, encrypted: bool) -> None:
        self.encrypted = encrypted
        self.buffer = b""  # what came and was not taken yet
        self.round_trips = 0
        self.writer = writer
        self._reader = reader
        self._wrote = False

    async def line(self) -> str | None:
        """Return the next line without its end, None if the client hung up."""
        while b"\r\n" not in self.buffer:
            if not await self.more():
                return None
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode()

    async def answer(self) -> str:
        """Return the next line, which the client owes us."""
        line = await self.line()
        if line is None:
            raise Dropped
        return line

    async def more(self) -> bool:
        """Add to the buffer what comes; return whether anything did."""
        self.round_trips += self._wrote
        self._wrote = False
        data = await self._reader.read(65536)
        self.buffer += data
        return bool(data)

    async def send(self, data: bytes) -> None:
        """Send `data`."""
        self._wrote = True
        self.writer.write(data)
        await self.writer.drain()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Encrypt the link; what came before is forgotten."""
        self.buffer = b""
        await self.writer.start_tls(context)
        self.encrypted = True

    async def perform(self, action: Action, *, tag: str = "") -> bytes:
        """Do it, and return the answer that was sent. A `tag` begins a line, and TAG stands for it in raw bytes."""
        match action:
            case Drop() | Hang() | Flood():
                return await self._break_off(action)
            case Delay(seconds=seconds, reply=delayed):
                await asyncio.sleep(seconds)
                return await self.perform(delayed, tag=tag)
            case Wait() as wait:
                wait.reached.set()
                await wait.event.wait()
                return await self.perform(wait.reply, tag=tag)
            case HangUp() as hang_up:
                said = await self.perform(hang_up.reply, tag=tag)
                asyncio.get_running_loop().call_later(hang_up.after_s, self.end, hang_up.last_words)
                return said
            case Split(reply=reply, pause_s=pause_s):
                for byte in (wire := _wire(reply, tag)):
                    await self.send(bytes([byte]))
                    await asyncio.sleep(pause_s)
                return wire
            case str() | bytes() as answer:
                await self.send(wire := _wire(answer, tag))
                return wire

    def end(self, last_words: bytes = b"") -> None:
        """Say `last_words`, asked or not, and close."""
        self.writer.write(last_words)
        self.writer.close()

    async def _break_off(self, action: Drop | Hang | Flood) -> NoReturn:
        match action:
            case Hang():
                await asyncio.Event().wait()
            case Flood(data=data):
                while True:  # until the client hangs up, and the write fails
                    await self.send(data)
            case Drop(first=first):
                await self.send(first)
                if first:
                    self.writer.close()
        raise Dropped


class ScriptedServer(ABC):
    """Listens on `host` and `port` from its beginning to its end, as a context. `commands` are the lines that came."""

    def __init__(
        self,
        *,
        script: Mapping[str, Script],
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.host = host
        self.port = port
        self.tls = tls
        self.commands: list[str] = []
        self.connections = 0
        self.most_connections = 0  # at one time
        self._implicit_tls = implicit_tls
        self._script: dict[str, Script] = {
            step: list(rule) if isinstance(rule, list | tuple) else rule for step, rule in script.items()
        }
        self._links: dict[asyncio.Task[None], Link] = {}
        self._past_round_trips = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @abstractmethod
    async def serve(self, link: Link) -> None:
        """Speak with a client until it hangs up."""

    @property
    def open_connections(self) -> int:
        """How many there are now."""
        return len(self._links)

    @property
    def round_trips(self) -> int:
        """How often a client waited for us before it went on."""
        return self._past_round_trips + sum(link.round_trips for link in self._links.values())

    async def start(self) -> None:
        """Listen; again on the same port after a stop()."""
        tls = self.tls if self._implicit_tls else None
        self._server = await asyncio.start_server(self._accept, self.host, self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and cut every connection."""
        assert self._server is not None
        self._server.close()
        for task in list(self._links):
            task.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)
        await self._server.wait_closed()

    def script(self, step: str, rule: Script) -> None:
        """Change how `step` behaves from now on."""
        self._script[step] = rule

    def has_script(self, step: str) -> bool:
        """Tell whether `step` was ever to do anything but behave well."""
        return step in self._script

    def scripted(self, step: str, line: str) -> Action | None:
        """Return what the script says now, None for: behave well."""
        rule = self._script.get(step)
        if isinstance(rule, list):
            rule = rule.pop(0) if rule else None
        elif callable(rule):
            rule = rule(line)
        return rule  # type: ignore[return-value]  # a sequence was made a list in __init__

    def cut(self, last_words: bytes = b"") -> None:
        """Say `last_words` on every open connection, asked or not, and cut it; new ones are welcome."""
        for link in self._links.values():
            link.end(last_words)

    def said(self, verb: str) -> list[str]:
        """Return the commands with this verb that came."""
        return [command for command in self.commands if self.verb(command) == verb]

    def verbs(self) -> list[str]:
        """Return the verbs that came, in order."""
        return [self.verb(command) for command in self.commands]

    def verb(self, command: str) -> str:
        """Return the verb of a command."""
        return command.partition(" ")[0]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        link = self._links[task] = Link(reader, writer, encrypted=self._implicit_tls)
        self.connections += 1
        self.most_connections = max(self.most_connections, self.open_connections)
        try:
            with suppress(Dropped, ConnectionError, asyncio.CancelledError, ssl.SSLError):
                await self.serve(link)
        finally:
            self._past_round_trips += link.round_trips
            del self._links[task]
            writer.transport.abort()


def _wire(answer: str | bytes, tag: str) -> bytes:
    """Return an answer as it is sent: a line without its end, nothing for "", or raw bytes."""
    if isinstance(answer, bytes):
        return answer.replace(b"TAG", tag.encode()) if tag else answer
    line = f"{tag} {answer}" if tag else answer
    return f"{line}\r\n".encode() if line else b""
