"""A guarded HTTP server in a thread of its own, and a client of plain sockets that may do anything."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from threading import Thread

from app.httpkit.answers import answer
from app.httpkit.guard import GuardedProtocol
from app.httpkit.limits import ClientDisconnected, Receive, Scope, Send, ServerLimits, read_body
from app.httpkit.server import SignalFreeServer, server_config

HANG_GUARD_SECONDS = 20
TEXT = b"text/plain"


class ScriptedApp:
    """What a handler may do: answer with the length of the body, answer before it, hold on, answer without end."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.cut_off: list[str] = []  # paths of requests whose client went away
        self.headers: list[tuple[bytes, bytes]] = []  # of the last request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do what the path says."""
        path, self.headers = scope["path"], scope["headers"]
        match path:
            case "/early":
                await answer(send, 413, b"too large", TEXT)
            case "/hold":
                await self.released.wait()
                await answer(send, 200, b"held", TEXT)
            case "/never":
                await asyncio.sleep(HANG_GUARD_SECONDS)
            case "/endless":
                await self._answer_without_end(receive, send)
            case _:
                try:
                    body = await read_body(scope, receive, limit=64 * 2**20)
                except ClientDisconnected:
                    self.cut_off.append(path)
                    return
                await answer(send, 200, b"%d" % len(body), TEXT)

    async def _answer_without_end(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        gone = asyncio.create_task(_disconnected(receive))
        while not gone.done():
            await send({"type": "http.response.body", "body": bytes(2**16), "more_body": True})
        self.cut_off.append("/endless")


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server as a test sees it."""

    address: tuple[str, int]
    app: ScriptedApp
    loop: asyncio.AbstractEventLoop
    server: SignalFreeServer

    def connect(self) -> socket.socket:
        """Return a new connection."""
        return socket.create_connection(self.address, timeout=HANG_GUARD_SECONDS)

    def release(self) -> None:
        """Let the handlers that hold go on."""
        self.loop.call_soon_threadsafe(self.app.released.set)

    @property
    def connections(self) -> list[GuardedProtocol]:
        """The connections that the server counts."""
        return list(self.server.server_state.connections)  # type: ignore[arg-type]  # it has no other kind


@contextmanager
def serving(limits: ServerLimits, loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[RunningServer]:
    """Run a server on a free port until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    address = listener.getsockname()
    app = ScriptedApp()
    server = SignalFreeServer(server_config(app, limits=limits, graceful_seconds=1))
    loop = loop_factory()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        thread = Thread(target=runner.run, args=(server.serve(sockets=[listener]),))
        thread.start()
        try:
            yield RunningServer(address, app, loop, server)
        finally:
            server.should_exit = True
            thread.join(HANG_GUARD_SECONDS)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that was read whole."""

    status: int
    headers: dict[str, str]
    body: bytes


def read_answer(connection: socket.socket) -> Answer:
    """Return the next response; more than one must not be on its way."""
    response = HTTPResponse(connection)
    response.begin()
    body = response.read()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def read_to_end(connection: socket.socket) -> bytes:
    """Return all that comes until the server ends the connection; a reset is an error."""
    received = bytearray()
    while piece := connection.recv(2**16):
        received += piece
    return bytes(received)


def request(method: str = "POST", path: str = "/count", *headers: str, body: bytes = b"") -> bytes:
    """Return the bytes of a request with a Host and a Content-Length."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body
