"""Clients that send without end, or not to the end: bounded in memory and time, and no hindrance to others."""

import http.client
import resource
import socket
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.support.daemon import Daemon, mail_settings
from tests.support.requirements import require

MIB = 1 << 20
HANG = 30  # seconds
HALF_OPEN = 1000


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for all these tests, with a relay that is not there."""
    data_dir = tmp_path_factory.mktemp("daemon") / "var"
    with Daemon(data_dir, **mail_settings(1)) as running:
        yield running.start()
        assert running.events("request_failed") == []


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process hold a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * HALF_OPEN)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(daemon: Daemon) -> socket.socket:
    return socket.create_connection(("127.0.0.1", daemon.port), timeout=HANG)


def read_answer(connection: socket.socket) -> http.client.HTTPResponse:
    response = http.client.HTTPResponse(connection)
    response.begin()
    response.read()
    return response


def _pieces() -> Iterable[bytes]:
    return [b"x" * MIB] * 10


@pytest.mark.parametrize("body", [b"x" * 10 * MIB, _pieces()], ids=["with its length", "chunked"])
def test_a_body_of_10_mb_is_413(daemon: Daemon, body: bytes) -> None:
    """A body over the limit is refused, and the client can read why even when it does not stop sending."""
    answer = daemon.request("POST", "/alerts", body)
    assert answer.status == 413
    assert answer.json["detail"].startswith(f"A request body may hold at most {MIB} bytes")


def test_curl_is_told_of_a_body_of_10_mb(daemon: Daemon, tmp_path: Path) -> None:
    """curl, which asks before it sends that much, prints the answer."""
    log = tmp_path / "log"
    log.write_bytes(b"a line of the log\n" * (10 * MIB // 18))
    command = [require("curl"), "--silent", "--show-error", "--data-binary", f"@{log}"]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{daemon.port}/alerts"], capture_output=True, check=True, timeout=HANG
    )
    assert b'"status": 413' in done.stdout


def test_a_header_of_150_mb_is_431_and_costs_no_memory(daemon: Daemon) -> None:
    """A header without end is answered 431 early, and what comes behind it is not kept."""
    before = most = daemon.rss_bytes
    with connect(daemon) as connection:
        connection.sendall(b"POST /alerts HTTP/1.1\r\nHost: localhost\r\nX-Big: " + b"x" * MIB)
        assert read_answer(connection).status == 431
        with suppress(ConnectionError):  # the daemon listens on for a while, then no more
            for _ in range(150):
                connection.sendall(b"x" * MIB)
                most = max(most, daemon.rss_bytes)
    assert most - before < 16 * MIB


def test_a_header_of_many_fields_is_431(daemon: Daemon) -> None:
    """The number of fields is bounded too, for each costs more than its bytes."""
    headers = {f"X-{number}": "a" for number in range(2000)}
    with connect(daemon) as connection:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
        assert read_answer(connection).status == 431


def test_a_thousand_half_open_requests_hinder_nobody(daemon: Daemon, many_files: None) -> None:
    """While a thousand clients do not finish their requests, another one posts as ever."""
    with ExitStack() as stack:
        for number in range(HALF_OPEN):
            connection = stack.enter_context(connect(daemon))
            head = b"POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
            connection.sendall(head if number % 2 else head + b"\r\nhalf")
        statuses = [daemon.post({"subject": f"alert {number}"}).status for number in range(30)]
        assert statuses == [202] * 30
        assert daemon.get("/healthz").status == 200


@pytest.mark.slow
def test_a_header_that_is_not_complete_in_10_s_is_408(daemon: Daemon) -> None:
    """The real limit: ten seconds. All other times are tested with shorter ones."""
    with connect(daemon) as connection:
        connection.sendall(b"POST /alerts HTTP/1.1\r\nHost: localhost\r\n")
        assert read_answer(connection).status == 408
