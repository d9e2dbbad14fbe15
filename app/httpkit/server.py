"""The HTTP server: uvicorn under the guard, without hands on the signals of the process."""

import logging
import socket
from asyncio import get_running_loop
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import cast

import uvicorn

from app.httpkit.guard import GuardedProtocol, guarded_by
from app.httpkit.limits import App, ServerLimits

BACKLOG = 1024  # connections that wait to be accepted; Linux cuts it to net.core.somaxconn, mostly 4096


class SignalFreeServer(uvicorn.Server):
    """A server that is stopped by `should_exit` alone; the service owns the signals."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals as they are."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: end the connections whose client keeps us waiting."""
        now = get_running_loop().time()
        for connection in self._guarded():
            connection.enforce_patience(now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the answers under way go out, for as long as the configuration says; then end what is left."""
        await super().shutdown(sockets)
        for connection in self._guarded():
            connection.abort()

    def _guarded(self) -> list[GuardedProtocol]:
        return [cast("GuardedProtocol", connection) for connection in self.server_state.connections]


def server_config(
    app: App,
    *,
    limits: ServerLimits,
    trusted_proxies: Sequence[str] = (),
    graceful_seconds: int = 2,  # an answer takes milliseconds; below every deadline of service managers
) -> uvicorn.Config:
    """Return the configuration of a server for `app`, to be served on sockets that the caller has bound.

    `trusted_proxies` are addresses and networks whose X-Forwarded-For and -Proto are believed. Nothing is taken
    from the environment.
    """
    return uvicorn.Config(
        app,
        http=guarded_by(limits),
        ws="none",
        lifespan="off",
        interface="asgi3",
        workers=1,
        log_config=None,
        # Below this level it tells of starting and stopping, which the service does, and of each bad request,
        # which the guard does. What remains are failures of the application, without the query string.
        log_level=logging.ERROR,
        access_log=False,  # its lines hold query strings
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        backlog=BACKLOG,
        timeout_graceful_shutdown=graceful_seconds,
    )
