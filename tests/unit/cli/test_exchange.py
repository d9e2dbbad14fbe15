"""One HTTP request: what a server may answer, over real sockets of loopback."""

import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from app.cli.exchange import HttpAnswer, NotHttp, exchange
from app.cli.held_signals import signals_held
from app.cli.line import BrokenOff
from tests.support.ports import free_port


def answered(
    data: bytes, body: bytes = b"", *, read: Callable[[socket.socket], object] | None = None, timeout_s: float = 30
) -> HttpAnswer:
    """Return what comes of an answer of these bytes; the server has read as much as `read` does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):  # it may wait no more
                (read or (lambda peer: peer.recv(1 << 16)))(connection)
                connection.sendall(data)

        threading.Thread(target=serve, daemon=True).start()
        url = urlsplit(f"http://127.0.0.1:{server.getsockname()[1]}")
        return exchange(url, "POST", "/alerts", {"X": "y"}, body, timeout_s=timeout_s)


def test_the_request_says_what_it_is() -> None:
    """Host, length and fields, then the body."""
    seen: list[bytes] = []
    answered(b"HTTP/1.1 204 No Content\r\n\r\n", b"text", read=lambda peer: seen.append(peer.recv(1 << 16)))
    lines = seen[0].decode().split("\r\n")
    assert (lines[0], lines[-1]) == ("POST /alerts HTTP/1.0", "text")
    assert {"Connection: close", "Content-Length: 4", "X: y"} <= set(lines)


@pytest.mark.parametrize(
    ("data", "status", "body"),
    [
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}", 202, b"{}"),
        (b"HTTP/1.0 200\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\n\r\n", 503, b""),
    ],
    ids=["length", "no length", "no body"],
)
def test_an_answer_is_read(data: bytes, status: int, body: bytes) -> None:
    """With a length, or up to the end of the connection."""
    answer = answered(data)
    assert (answer.status, answer.body) == (status, body)


def test_names_of_fields_have_one_case() -> None:
    """RFC 9110 section 5.1: field names are case-insensitive."""
    assert answered(b"HTTP/1.1 429 x\r\nRETRY-After:  7 \r\n\r\n").fields == {"retry-after": "7"}


@pytest.mark.parametrize(
    "data",
    [b"", b"220 mx1 ESMTP\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1\r\n\r\n"],
    ids=["nothing", "SMTP", "no status", "no end", "short"],
)
def test_what_is_no_http_is_told(data: bytes) -> None:
    """Another service may listen on that port."""
    with pytest.raises(NotHttp):
        answered(data)


def test_an_answer_that_breaks_off_is_none() -> None:
    """Half an answer must not pass for a whole one."""
    with pytest.raises(NotHttp, match="broke off"):
        answered(b"HTTP/1.1 202 Accepted\r\nContent-Length: 20\r\n\r\n{}")


def trickle(connection: socket.socket) -> None:
    """Send an answer that never ends, a byte at a time."""
    connection.sendall(b"HTTP/1.0 200 OK\r\nX: ")
    with suppress(OSError):
        while True:
            connection.sendall(b"a")
            time.sleep(0.02)


def test_an_answer_that_never_ends_is_not_waited_for() -> None:
    """The deadline holds for all of the exchange, not for each byte."""
    with pytest.raises(TimeoutError):
        answered(b"", read=trickle, timeout_s=0.3)


def test_a_held_signal_ends_the_exchange() -> None:
    """Whoever ends the command does not wait for a server that says nothing."""
    ended, waiting = threading.Event(), threading.get_ident()

    def stay_silent(_connection: socket.socket) -> None:
        signal.pthread_kill(waiting, signal.SIGHUP)
        ended.wait(30)

    with signals_held():
        with pytest.raises(BrokenOff):
            answered(b"", read=stay_silent)
        ended.set()


def test_a_host_without_a_name_is_an_error_of_the_network() -> None:
    """Not one of Python's, which nobody catches."""
    with pytest.raises(OSError, match="no name of a host"):
        exchange(urlsplit("http://a..b"), "GET", "/", {}, timeout_s=1)


def test_where_nobody_listens_is_told() -> None:
    """With the reason of the kernel."""
    with pytest.raises(ConnectionRefusedError):
        exchange(urlsplit(f"http://127.0.0.1:{free_port()}"), "GET", "/", {}, timeout_s=30)
