"""A small HTTP server that notes what it is sent and answers what a test says."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(slots=True)
class HttpReceiver:
    """Answers every request with `answer`; with None it never does."""

    answer: bytes | None = NO_CONTENT
    received: list[Received] = field(default_factory=list)
    url: str = ""
    open: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the requests of one connection."""
        self.open[asyncio.current_task()] = writer
        try:
            while line := (await reader.readline()).decode().strip():
                await self._take(line, reader)
                if self.answer is None:
                    await reader.read()
                    return
                writer.write(self.answer)
                await writer.drain()
        except (ConnectionError, ssl.SSLError):  # the client went away first
            pass
        finally:
            writer.close()
            del self.open[asyncio.current_task()]

    async def hang_up(self) -> None:
        """Close what is open, and wait until all of it is served."""
        while self.open:
            for writer in self.open.values():
                writer.close()
            await asyncio.sleep(0)

    async def _take(self, line: str, reader: asyncio.StreamReader) -> None:
        headers = {}
        while header := (await reader.readline()).decode().strip():
            name, _, value = header.partition(": ")
            headers[name.lower()] = value
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.received.append(Received(line, headers, body))


@asynccontextmanager
async def http_receiver(
    answer: bytes | None = NO_CONTENT, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[HttpReceiver]:
    """Give a receiver on a free port of loopback."""
    receiver = HttpReceiver(answer)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/hook?key=s3cret"
    try:
        yield receiver
    finally:
        server.close()
        await receiver.hang_up()
