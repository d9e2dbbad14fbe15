"""What a client may do to the HTTP server, over real sockets, under both event loops."""

import asyncio
import json
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import repeat

import pytest
import uvloop

from app.httpkit.limits import ServerLimits
from app.httpkit.phases import BODY
from tests.support.guarded_server import (
    HANG_GUARD_SECONDS,
    RunningServer,
    read_answer,
    read_to_end,
    request,
    serving,
)

HASTY = ServerLimits(
    head_seconds=0.3,
    body_seconds=0.3,
    body_bytes_per_second=1000,
    idle_seconds=0.3,
    write_seconds=0.3,
    linger_seconds=0.3,
)
PATIENT = ServerLimits(head_bytes=4096, head_fields=20, pipelined=4)
CROWDED = ServerLimits(connections=20)
HEAD = b"POST /count HTTP/1.1\r\nHost: localhost\r\n"

LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]


@pytest.fixture(scope="module", params=LOOPS)
def new_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    """Each event loop in turn: they differ in how they close."""
    factory: Callable[[], asyncio.AbstractEventLoop] = request.param
    return factory


@pytest.fixture(scope="module")
def hasty(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[RunningServer]:
    """A server that waits for nobody."""
    with serving(HASTY, new_loop) as server:
        yield server


@pytest.fixture(scope="module")
def patient(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[RunningServer]:
    """A server with long times and small sizes."""
    with serving(PATIENT, new_loop) as server:
        yield server


@pytest.fixture
def crowded(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[RunningServer]:
    """A server for 20 connections."""
    with serving(CROWDED, new_loop) as server:
        yield server
        server.release()


@pytest.fixture
def connection(patient: RunningServer) -> Iterator[socket.socket]:
    """A connection to the patient server."""
    with patient.connect() as connection:
        yield connection


def eventually(condition: Callable[[], bool]) -> bool:
    """Tell whether `condition` comes true before the hang guard strikes."""
    deadline = time.monotonic() + HANG_GUARD_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def status_and_end(connection: socket.socket) -> int:
    """Return the status of the problem document that is the last the server says."""
    answer = read_answer(connection)
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.body)["status"] == answer.status
    assert read_to_end(connection) == b""
    return answer.status


class TestTime:
    """A client that lets the server wait."""

    def test_a_head_that_does_not_end_is_408(self, hasty: RunningServer) -> None:
        """A request whose head is not complete in time is answered 408, and the connection ends."""
        with hasty.connect() as connection:
            connection.sendall(HEAD)
            assert status_and_end(connection) == 408

    def test_a_trickling_body_is_408_and_releases_the_handler(self, hasty: RunningServer) -> None:
        """Bytes that come one by one do not extend the time, and the waiting handler learns of its end."""
        with hasty.connect() as connection:
            connection.sendall(HEAD.replace(b"/count", b"/trickle") + b"Content-Length: 100000\r\n\r\n")
            connection.settimeout(0.05)
            for _ in repeat(None, 1000):
                connection.sendall(b"x")
                with suppress(TimeoutError):
                    connection.recv(1, socket.MSG_PEEK)
                    break
            connection.settimeout(HANG_GUARD_SECONDS)
            assert status_and_end(connection) == 408
        assert eventually(lambda: "/trickle" in hasty.app.cut_off)

    def test_a_long_body_that_moves_gets_the_time_it_needs(self, hasty: RunningServer) -> None:
        """A file may come over a slow link: each thousand bytes earn another second here."""
        with hasty.connect() as connection:
            connection.sendall(HEAD + b"Content-Length: 40000\r\n\r\n")
            for _ in range(10):
                connection.sendall(b"x" * 4000)
                time.sleep(HASTY.body_seconds / 3)
            assert read_answer(connection).status == 200

    def test_a_silent_connection_ends_without_an_answer(self, hasty: RunningServer) -> None:
        """A connection that never asked for anything is closed and told nothing."""
        with hasty.connect() as connection:
            assert read_to_end(connection) == b""

    def test_an_idle_connection_ends(self, hasty: RunningServer) -> None:
        """A kept connection on which no other request comes is closed, and an empty line is no request."""
        with hasty.connect() as connection:
            connection.sendall(request() + b"\r\n")
            assert read_answer(connection).status == 200
            assert read_to_end(connection) == b""

    def test_a_client_that_does_not_read_is_cut_off(self, hasty: RunningServer) -> None:
        """An answer that the client does not take ends, and its handler with it."""
        with hasty.connect() as connection:
            connection.sendall(request("GET", "/endless"))
            assert eventually(lambda: "/endless" in hasty.app.cut_off)

    def test_a_slow_handler_is_not_the_fault_of_the_client(self, hasty: RunningServer) -> None:
        """A whole request waits for its answer for as long as the handler takes."""
        with hasty.connect() as connection:
            connection.sendall(request("GET", "/hold"))
            time.sleep(4 * HASTY.body_seconds)
            hasty.release()
            assert read_answer(connection).body == b"held"

    def test_a_client_that_vanishes_in_its_body_harms_nobody(self, hasty: RunningServer) -> None:
        """The time of a connection whose client has long gone ends like any other; the server serves on."""
        with hasty.connect() as connection:
            connection.sendall(b"POST /never HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000\r\n\r\n")
            connection.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.sendall(bytes(90_000_000))
        assert eventually(lambda: not hasty.connections)
        with hasty.connect() as connection:
            connection.sendall(request())
            assert read_answer(connection).status == 200


class TestSize:
    """A client that sends too much."""

    @pytest.mark.parametrize(
        "head",
        [
            pytest.param(b"GET /" + b"x" * 8000 + b" HTTP/1.1\r\n\r\n", id="long path"),
            pytest.param(b"GET / HTTP/1.1\r\nX: " + b"x" * 8000 + b"\r\n\r\n", id="long field"),
            pytest.param(b"GET / HTTP/1.1\r\n" + b"x" * 8000, id="no line end"),
            pytest.param(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100 + b"\r\n", id="many fields"),
            pytest.param(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 100, id="many fields without end"),
            pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 2**20, id="long trailer"),
            pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 100, id="many trailers"),
        ],
    )
    def test_a_head_over_the_limit_is_431(self, connection: socket.socket, head: bytes) -> None:
        """More bytes or fields than a head may hold are answered 431, and the connection ends."""
        connection.sendall(head)
        assert status_and_end(connection) == 431

    def test_a_giant_head_is_431_and_costs_no_memory(self, connection: socket.socket) -> None:
        """Of 100 MB of header nothing is kept, and the client can still read the answer."""
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        with suppress(ConnectionError):
            for _ in range(1600):
                connection.sendall(b"x" * 2**16)
        assert read_answer(connection).status == 431
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 20 * 1024

    def test_an_early_answer_to_a_big_body_is_read(self, connection: socket.socket) -> None:
        """A client that sends all of 10 MB before it reads gets the 413 that was sent long before."""
        connection.sendall(request(path="/early", body=bytes(10 * 2**20)))
        answer = read_answer(connection)
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert read_to_end(connection) == b""

    def test_a_body_that_nobody_reads_is_not_buffered(self, patient: RunningServer) -> None:
        """While the handler reads nothing, the server takes at most a few packets from the client."""
        with patient.connect() as connection:
            connection.sendall(b"POST /hold HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000000\r\n\r\n")
            connection.settimeout(0.2)
            with pytest.raises(TimeoutError):
                connection.sendall(bytes(90_000_000))
            [held] = [each for each in patient.connections if each.phase is BODY]
            assert 0 < len(held.cycle.body) <= 2**20

    def test_trailers_are_not_header_fields(self, patient: RunningServer) -> None:
        """What stands behind a chunked body cannot pose as a header (RFC 9110 section 6.5.1)."""
        with patient.connect() as connection:
            connection.sendall(
                HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
            )
            assert read_answer(connection).body == b"2"
        assert b"authorization" not in dict(patient.app.headers)


class TestNumber:
    """Many clients."""

    def test_half_open_requests_do_not_shut_others_out(self, crowded: RunningServer) -> None:
        """However many half-open requests there are, a good one is answered; the oldest of them make room."""
        with ExitStack() as crowd:
            for _ in range(200):
                crowd.enter_context(crowded.connect()).sendall(HEAD)
            with crowded.connect() as connection:
                connection.sendall(request(body=b"good"))
                assert read_answer(connection).body == b"4"
            assert len(crowded.connections) <= CROWDED.connections

    def test_one_connection_too_many_is_503(self, crowded: RunningServer) -> None:
        """While all connections are being served, the next one is told to come back, and closed."""
        with ExitStack() as crowd:
            for _ in range(CROWDED.connections):
                crowd.enter_context(crowded.connect()).sendall(request("GET", "/hold"))
            assert eventually(lambda: [each.phase.name for each in crowded.connections].count("WHOLE") == 20)
            with crowded.connect() as connection:
                answer = read_answer(connection)
            assert (answer.status, answer.headers["retry-after"]) == (503, "10")

    def test_a_slot_is_free_again_after_its_client_left(self, crowded: RunningServer) -> None:
        """Connections that come and go use up nothing."""
        for _ in range(3 * CROWDED.connections):
            with crowded.connect() as connection:
                connection.sendall(request(body=b"good"))
                assert read_answer(connection).status == 200


class TestPipelining:
    """Requests that do not wait for the answer to the one before."""

    def test_pipelined_requests_are_answered_in_order(self, connection: socket.socket) -> None:
        """Each request gets its answer, in the order of the requests."""
        connection.sendall(request(body=b"1") + request(body=b"22") + request("GET", "/early"))
        connection.shutdown(socket.SHUT_WR)
        answers = read_to_end(connection).split(b"HTTP/1.1 ")[1:]
        assert [(each[:3], each.partition(b"\r\n\r\n")[2]) for each in answers] == [
            (b"200", b"1"),
            (b"200", b"2"),
            (b"413", b"too large"),
        ]

    def test_a_flood_is_answered_in_part_and_ended(self, connection: socket.socket) -> None:
        """Of very many requests at once only a few are read ahead; the rest can be sent again."""
        with suppress(ConnectionError):
            connection.sendall(request("GET") * 10_000)
        answers = read_to_end(connection)
        assert answers.count(b"HTTP/1.1 200") == 1 + PATIENT.pipelined
        assert answers.count(b"connection: close") == 1

    def test_rubbish_behind_a_request_does_not_cost_its_answer(self, connection: socket.socket) -> None:
        """A request with a wrong Content-Length is answered once, and the connection ends with that."""
        connection.sendall(request(body=b"12345") + b"6789 rubbish\r\n\r\n")
        answers = read_to_end(connection)
        assert answers.startswith(b"HTTP/1.1 200")
        assert answers.endswith(b"connection: close\r\n\r\n5")


class TestConversation:
    """Everything that well-behaved clients do."""

    def test_a_connection_serves_many_requests(self, connection: socket.socket) -> None:
        """A connection is kept for the next request."""
        for size in range(5):
            connection.sendall(request(body=bytes(size)))
            answer = read_answer(connection)
            assert (answer.body, "connection" in answer.headers) == (b"%d" % size, False)

    def test_http_1_0_is_answered_and_ended(self, connection: socket.socket) -> None:
        """A client of HTTP/1.0 sees the end of the answer by the end of the connection."""
        connection.sendall(b"GET /count HTTP/1.0\r\n\r\n")
        assert read_to_end(connection).endswith(b"\r\n\r\n0")

    def test_a_chunked_body_is_read(self, connection: socket.socket) -> None:
        """A body may come in chunks, with extensions that nobody reads, byte by byte."""
        for byte in HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert read_answer(connection).body == b"5"

    def test_expect_continue_is_asked_to_go_on(self, connection: socket.socket) -> None:
        """A client that asks before it sends its body is told to, and then answered."""
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ab")
        assert read_answer(connection).body == b"2"

    def test_expect_continue_is_refused_at_once(self, connection: socket.socket) -> None:
        """A body that is refused by its head is never asked for (RFC 9110 section 10.1.1)."""
        connection.sendall(request(path="/early").replace(b"h: 0", b"h: 9\r\nExpect: 100-continue"))
        answer = read_answer(connection)
        assert (answer.status, answer.headers["connection"]) == (413, "close")

    def test_an_offered_upgrade_does_not_cost_the_body(self, connection: socket.socket) -> None:
        """A client that would rather speak HTTP/2, as Java's does, is served by HTTP/1.1, body and all."""
        upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA")
        for _ in range(2):
            connection.sendall(request("POST", "/count", *upgrade, body=b"alert"))
            assert read_answer(connection).body == b"5"

    def test_a_client_that_half_closes_gets_its_answer(self, connection: socket.socket) -> None:
        """To shut the sending side after a request is no farewell."""
        connection.sendall(request(body=b"alert"))
        connection.shutdown(socket.SHUT_WR)
        assert read_to_end(connection).endswith(b"\r\n\r\n5")

    @pytest.mark.parametrize(
        "rubbish",
        [
            pytest.param(b"\x16\x03\x01\x02\x00\x01", id="TLS"),
            pytest.param(b"EHLO example.org\r\n", id="SMTP"),
            pytest.param(b"GET http://localhost HTTP/1.1\r\n\r\n", id="no path"),
            pytest.param(b"CONNECT localhost:25 HTTP/1.1\r\n\r\n", id="tunnel"),
            pytest.param(HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", id="smuggling"),
            pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", id="bad chunk"),
        ],
    )
    def test_what_is_no_http_is_400(self, connection: socket.socket, rubbish: bytes) -> None:
        """Bytes that are no HTTP/1.1 are answered 400, and the connection ends."""
        connection.sendall(rubbish)
        assert status_and_end(connection) == 400


def test_a_stop_waits_only_for_answers(
    new_loop: Callable[[], asyncio.AbstractEventLoop], caplog: pytest.LogCaptureFixture
) -> None:
    """A stop gives what is due, tells a client in the middle of its request to come back, and closes the rest."""
    with serving(ServerLimits(), new_loop) as server, ExitStack() as clients:
        kept, half_open, sending, served = (clients.enter_context(server.connect()) for _ in range(4))
        kept.sendall(request())
        assert read_answer(kept).status == 200
        half_open.sendall(HEAD)
        sending.sendall(HEAD + b"Content-Length: 9\r\n\r\n")
        served.sendall(request("GET", "/hold"))
        phases = ["BODY", "HEAD", "IDLE", "WHOLE"]
        assert eventually(lambda: sorted(each.phase.name for each in server.connections) == phases)
        server.server.should_exit = True
        assert read_to_end(kept) == read_to_end(half_open) == b""
        assert read_answer(sending).status == 503
        server.release()
        assert read_answer(served).headers["connection"] == "close"
    assert caplog.messages == []
