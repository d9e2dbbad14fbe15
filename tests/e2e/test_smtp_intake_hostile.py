"""Clients of the SMTP door that send without end, nonsense or nothing: a clear answer, and others are served."""

import resource
import smtplib
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest

from tests.support.smtp_door import SmtpDoorSite, smtp_door
from tests.support.smtp_site import read_all, read_until

MIB = 1 << 20
HANG = 30  # seconds
IDLE = 1000
ENVELOPE = b"EHLO client\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
END_OF_REPLIES = b"354 End data with <CR><LF>.<CR><LF>\r\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmtpDoorSite]:
    """One daemon for all these tests."""
    with smtp_door(tmp_path_factory.mktemp("site"), smtp_intake__message_limit=4 * MIB) as running:
        yield running
        assert running.daemon.events("smtp_session_failed") == []


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process hold a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * IDLE)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(site: SmtpDoorSite) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.port), timeout=HANG)


def begin(site: SmtpDoorSite) -> socket.socket:
    """Return a connection that is to send its message."""
    connection = connect(site)
    connection.sendall(ENVELOPE)
    read_until(connection, END_OF_REPLIES)
    return connection


def send(site: SmtpDoorSite, mail: bytes) -> str:
    """Return the id of the alert that the mail becomes."""
    with closing(begin(site)) as connection:
        connection.sendall(mail.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
        reply = read_until(connection, b"\r\n")
    assert reply.startswith(b"250 2.0.0 Accepted as "), reply
    return reply.split()[-1].decode()


def send_without_end(site: SmtpDoorSite, connection: socket.socket, block: bytes, count: int) -> int:
    """Send until the daemon has had enough; return by how many bytes its memory grew at most."""
    before = most = site.daemon.rss_bytes
    with suppress(OSError):
        for _ in range(count):
            connection.sendall(block)
            most = max(most, site.daemon.rss_bytes)
    return most - before


def assert_others_are_served(site: SmtpDoorSite) -> None:
    with smtplib.SMTP("127.0.0.1", site.port, timeout=HANG) as client:
        client.sendmail("a@example.org", ["b@example.org"], "Subject: all is well\r\n\r\n")
    assert site.daemon.post({"subject": "all is well"}).status == 202


def test_a_mail_over_the_limit_is_552(site: SmtpDoorSite) -> None:
    """At its end, and the session goes on."""
    with closing(begin(site)) as connection:
        connection.sendall((b"x" * 998 + b"\r\n") * (5 * MIB // 1000) + b".\r\n")
        assert read_until(connection, b"\r\n").startswith(b"552 5.3.4 ")
        connection.sendall(b"NOOP\r\n")
        assert read_until(connection, b"\r\n").startswith(b"250 ")


@pytest.mark.parametrize("in_message", [False, True], ids=["command", "message"])
def test_a_line_without_end_costs_no_memory(site: SmtpDoorSite, in_message: bool) -> None:
    """Neither among the commands nor in a message; the daemon hangs up in the end."""
    with closing(begin(site) if in_message else connect(site)) as connection:
        assert send_without_end(site, connection, b"x" * MIB, 100) < 16 * MIB
        assert_others_are_served(site)


def test_a_slow_message_hinders_nobody(site: SmtpDoorSite) -> None:
    """While a client sends byte by byte, others are served; its own mail is taken when it ends."""
    with closing(begin(site)) as connection:
        for byte in b"Subject: slow\r\n\r\n":
            connection.sendall(bytes([byte]))
            time.sleep(0.01)
        assert_others_are_served(site)
        connection.sendall(b"\r\n.\r\n")
        assert read_until(connection, b"\r\n").startswith(b"250 ")


def test_a_thousand_idle_clients_keep_nobody_out(site: SmtpDoorSite, many_files: None) -> None:
    """Those that are idle for longest make room, and the memory stays bounded."""
    before = site.daemon.rss_bytes
    with ExitStack() as stack:
        first = stack.enter_context(closing(connect(site)))
        for number in range(IDLE):
            connection = stack.enter_context(closing(connect(site)))
            connection.sendall(b"EHLO client\r\n" if number % 2 else b"x" * 2000)
        for _ in range(10):
            assert_others_are_served(site)
        assert read_all(first).splitlines()[-1].startswith(b"421 4.3.2 ")
        assert site.daemon.rss_bytes - before < 100 * MIB


def test_messages_under_way_leave_memory_bounded(site: SmtpDoorSite, many_files: None) -> None:
    """Each is far below the limit, and all together would be 300 MiB."""
    before = site.daemon.rss_bytes
    with ExitStack() as stack:
        for _ in range(300):
            connection = stack.enter_context(closing(begin(site)))
            connection.sendall(b"x" * MIB)
        assert site.daemon.get("/healthz").status == 200
        assert site.daemon.rss_bytes - before < 150 * MIB


@pytest.mark.parametrize(
    ("mail", "subject"),
    [
        (
            b"Subject: nested\r\n"
            + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2000)),
            "nested",
        ),
        (b"Subject: rfc822\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 2000, "rfc822"),
        (b"Subject: charset\r\nContent-Type: text/plain; charset=utf-99\r\n\r\n\xff\xfe\xfd", "charset"),
        (
            b"Subject: base64\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"!" * 1000 + b64encode(b"x" * 99),
            "base64",
        ),
        (
            b"Subject: boundaries\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 100_000,
            "boundaries",
        ),
        (b"Subject: \xff\xfe\r\nFrom: \x00\r\n\r\n\x00\x01", None),
        (b"X: " + b"y" * 2 * MIB, "Alert without a subject"),
        (b"\r\n" * MIB, "Alert without a subject"),
    ],
    ids=["nested", "rfc822", "charset", "base64", "boundaries", "octets", "header", "empty-lines"],
)
def test_a_broken_mail_is_an_alert(site: SmtpDoorSite, mail: bytes, subject: str | None) -> None:
    """Whatever is in it, it is mailed with what can be read."""
    alert = site.daemon.get(f"/alerts/{send(site, mail)}").json
    assert subject is None or alert["subject"] == subject
    assert_others_are_served(site)
