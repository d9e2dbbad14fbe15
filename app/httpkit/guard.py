"""The guard: uvicorn's HTTP/1.1 protocol with the bounds on size, time and number that it leaves open."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from math import inf
from typing import ClassVar, cast

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.httpkit import problems
from app.httpkit.answers import last_answer
from app.httpkit.limits import ServerLimits
from app.httpkit.phases import BODY, DEAF, HEAD, IDLE, LINGER, WHOLE, Phase, patience_under
from app.httpkit.problems import Problem
from app.httpkit.transport import CourteousTransport

log = structlog.get_logger()

RETRY_AFTER = timedelta(seconds=10)  # by then every half-open request is gone
MALFORMED = problems.bad_request("This is no HTTP/1.1 request (RFC 9112).")
TOO_MANY_CONNECTIONS = problems.service_unavailable(
    "All connections that this daemon takes are in use.", retry_after=RETRY_AFTER
)
SHUTTING_DOWN = problems.service_unavailable("The daemon is shutting down.", retry_after=RETRY_AFTER)


class RefusedError(Exception):
    """Raised in a callback of the parser to stop it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.title)
        self.problem = problem


class GuardedProtocol(HttpToolsProtocol):
    """One connection. `SignalFreeServer` calls `enforce_patience` several times a second.

    It is uvicorn's parser, request cycle and flow control; only what could grow or wait without end is added.
    """

    limits: ClassVar[ServerLimits]
    patience_by_phase: ClassVar[Mapping[Phase, float]]

    # Connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection; beyond the limit, in place of the one that keeps us waiting longest."""
        self._socket = transport
        self.phase = HEAD
        self.since = self.loop.time()
        self._head_bytes = 0  # of the head, or of what frames a body, without an end so far
        self._unread_bytes = 0  # of the bytes just received: those not known to be anything else than head
        self._keep_alive = True
        super().connection_made(transport)
        self._courteous = CourteousTransport(transport, loop=self.loop, close=self._close)
        self.transport = self._courteous
        if len(self.connections) > self.limits.connections:
            self._make_room()

    def _make_room(self) -> None:
        # Only GuardedProtocol puts itself into this set.
        others = cast("set[GuardedProtocol]", self.connections) - {self}
        waiting = [other for other in others if other.patience() < inf]
        if waiting:
            victim = min(waiting, key=lambda other: other.since)
            log.warning("connection_evicted", phase=victim.phase.name.lower(), client=victim.client)
            victim.abort()
        else:
            self._refuse(TOO_MANY_CONNECTIONS)

    def abort(self) -> None:
        """Cut the connection, and count it no longer."""
        self.connections.discard(self)
        self._socket.abort()

    def eof_received(self) -> bool:  # type: ignore[override]  # True keeps the connection open; uvicorn never does
        """Answer a whole request also to a client that has shut its sending side, as `nc -N` does."""
        self._courteous.flush()
        answer_due = self.phase in (WHOLE, DEAF)
        if answer_due:
            self.cycle.keep_alive = False
        return answer_due

    def shutdown(self) -> None:
        """End the connection: after the answers that are due, and without the rest of a request."""
        if self.phase is BODY:
            self._refuse(SHUTTING_DOWN)
        if self._answering and self.phase is not LINGER:
            self.cycle.keep_alive = False
        else:
            self._socket.close()

    def _close(self) -> None:
        """Close for good if all that the client sent was read, else half, and listen on for a while.

        RFC 9112 section 9.6: bytes that come in after a full close make a reset, and that can destroy the
        answer before the client has read it.
        """
        heard_all = self.phase in (IDLE, WHOLE)
        self.phase = LINGER
        self.since = self.loop.time()
        if heard_all or self._socket.is_closing():
            self._socket.close()
            return
        try:
            self._socket.write_eof()
        except OSError:  # the client has gone, and asyncio did not know: it does not look while reading is paused
            self._socket.abort()
        else:
            self.flow.resume_reading()

    @property
    def _answering(self) -> bool:
        """Whether the answer to the newest request is not out yet."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        return cycle is not None and not cycle.response_complete

    # Time

    def patience(self) -> float:
        """Return for how many seconds from the last step on the client may let us wait; inf if it does not."""
        if self.flow.write_paused and self.phase is not LINGER:
            return self.limits.write_seconds
        if self.pipeline or (self.phase is HEAD and self._answering):
            return inf  # a client that sends ahead waits for us
        return self.patience_by_phase[self.phase]

    def enforce_patience(self, now: float) -> None:
        """End the connection if the client has let us wait for too long at `now`, in the time of the loop."""
        if now - self.since <= self.patience():
            return
        if self.phase is LINGER or self.flow.write_paused:
            self._socket.abort()
        elif self.phase is BODY or (self.phase is HEAD and self._head_bytes):
            self._refuse(problems.request_timeout("The request was not complete in time."))
        else:
            self.transport.close()  # nothing was asked, so there is nothing to answer

    def pause_writing(self) -> None:
        """Note since when the client reads nothing."""
        self.since = self.loop.time()
        super().pause_writing()

    # Reading

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless nothing more is to be understood."""
        if self.phase in (LINGER, DEAF):
            return
        self._unread_bytes = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause.problem if isinstance(cause, RefusedError) else MALFORMED)
        else:
            self._bound_head()

    def _bound_head(self) -> None:
        if self.phase in (HEAD, BODY):
            self._head_bytes += self._unread_bytes
            if self._head_bytes > self.limits.head_bytes:
                self._refuse(self._head_too_large())

    def _head_too_large(self) -> Problem:
        limits = self.limits
        return problems.header_fields_too_large(
            f"A request line with its headers may hold {limits.head_bytes} bytes and {limits.head_fields} fields."
        )

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read the request again without its Upgrade, as RFC 9110 section 7.8 allows.

        The parser takes what follows such a head for another protocol. Java's HttpClient offers h2c with
        every first request, also with a POST, and the alert in its body would be lost.
        """
        method: bytes = self.parser.get_method()
        lines = [b"%s %s HTTP/1.1" % (method, self.url)]
        lines += [b"%s: %s" % field for field in self.headers if field[0] != b"upgrade"]
        self.data_received(b"\r\n".join([*lines, b"", rest]))

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        """Begin a request; its time runs from the first byte."""
        super().on_message_begin()
        self._head_bytes = 0
        if self.phase is not HEAD:  # on a new connection it has run since the client connected
            self.phase = HEAD
            self.since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field, or a trailer: after the body they come here too."""
        if len(self.headers) >= self.limits.head_fields:
            raise RefusedError(self._head_too_large())
        HttpToolsProtocol.on_header(self, name, value)  # super() costs as much again, several times a request

    def on_headers_complete(self) -> None:
        """Hand the request to the application if its head is within the limits."""
        limits = self.limits
        received = self._head_bytes + self._unread_bytes  # at least the head, often some body too
        if received > limits.head_bytes and self._is_head_too_large():
            raise RefusedError(self._head_too_large())
        if len(self.pipeline) >= limits.pipelined:
            raise RefusedError(MALFORMED)  # nobody sees it: the answers that are due come first, then the end
        self._head_bytes = self._unread_bytes = 0
        if self.parser.should_upgrade():
            self._refuse_tunnel()
            return
        super().on_headers_complete()
        self.phase = BODY
        # RFC 9110 section 6.5.1: trailers must not be taken for header fields, but the parser reports both.
        self.headers = []
        # An answer that comes before the end of the request ends the connection.
        self._keep_alive = self.cycle.keep_alive
        self.cycle.keep_alive = False

    def _is_head_too_large(self) -> bool:
        fields = sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers)
        return len(self.url) + fields > self.limits.head_bytes

    def _refuse_tunnel(self) -> None:
        if self.parser.get_method() == b"CONNECT":  # RFC 9110 section 9.3.6: only a proxy takes it
            raise RefusedError(MALFORMED)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body, which earns the time to send more of it."""
        self._head_bytes = self._unread_bytes = 0
        self.since += len(body) / self.limits.body_bytes_per_second
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the request is whole; the connection may then serve another one."""
        if self.phase is HEAD:
            return  # an upgrade that is ignored: the request is about to be read again
        self.phase = WHOLE
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keep_alive
        super().on_message_complete()

    # Answering

    def on_response_complete(self) -> None:
        """Go on to the next request. uvicorn's way, without its timer for each: the patience is looked after here."""
        if self.transport.is_closing():
            return
        self.since = self.loop.time()
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self.phase is WHOLE:
            self.phase = IDLE

    def _refuse(self, problem: Problem) -> None:
        """Answer the request that is being read with `problem`, and end the connection."""
        log.warning("request_refused", status=problem.status, client=self.client)
        cycle = self.cycle
        if not self._answering:
            self._end_with(problem)
        elif self.phase is not BODY:
            # Requests before this one have their answers to come. They get them; this one can be sent again.
            self.phase = DEAF
            cycle.keep_alive = False
        elif self.pipeline or cycle.response_started:
            self._socket.abort()
        else:
            cycle.disconnected = True  # releases a handler that waits for the rest of the body
            cycle.message_event.set()
            self._end_with(problem)

    def _end_with(self, problem: Problem) -> None:
        self.transport.write(last_answer(problem, self.server_state.default_headers))
        self.transport.close()


def guarded_by(limits: ServerLimits) -> type[GuardedProtocol]:
    """Return the protocol with `limits`. uvicorn takes a class and makes the instances, so they sit in the class."""
    bounds = {"limits": limits, "patience_by_phase": patience_under(limits)}
    return type("GuardedProtocol", (GuardedProtocol,), bounds)
