"""The guarded SMTP server, spoken to over real sockets, under asyncio's loop and under uvloop."""

import asyncio
import logging
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
import uvloop

from tests.support.background import HANG
from tests.support.smtp_site import (
    ENVELOPE,
    Inbox,
    Start,
    codes,
    converse,
    flood,
    read_all,
    read_until,
    starting,
)
from tests.support.waiting import until

MEBIBYTE = 1024 * 1024
CANARY = "canary-4711"


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """A function that starts a server; it is stopped at the end."""
    with starting(request.param) as start_server:
        yield start_server


def test_a_mail_arrives_with_its_envelope(start: Start) -> None:
    """The receiver gets sender, recipients, peer, time and the exact bytes, dots removed."""
    site = start()
    with site.client() as client:
        client.sendmail("a@example.org", ["b@example.org", "c@example.org"], "Subject: x\r\n\r\n.dot\r\n..\r\n")
    [mail] = site.inbox.mails
    assert (mail.mail_from, mail.recipients) == ("a@example.org", ("b@example.org", "c@example.org"))
    assert (mail.data, mail.peer) == (b"Subject: x\r\n\r\n.dot\r\n..\r\n", "127.0.0.1")
    assert mail.received_at.tzinfo is not None


def test_pipelined_commands_are_answered_in_order(start: Start) -> None:
    """PIPELINING is announced, and holds for two mails and QUIT in one segment (RFC 2920)."""
    site = start()
    envelope = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    lines = converse(site, b"EHLO client\r\n" + 2 * (envelope + b"hello\r\n.\r\n"))
    assert "250-PIPELINING" in lines
    assert codes(lines) == ["250", *2 * ["250", "553", "250", "354", "250"], "221"]
    assert [mail.data for mail in site.inbox.mails] == [b"hello\r\n", b"hello\r\n"]


def test_a_dialogue_may_come_byte_by_byte(start: Start) -> None:
    """Where the segments end makes no difference."""
    site = start()
    with closing(site.connect()) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in ENVELOPE + b"one\r\n..two\r\n.\r\nQUIT\r\n":
            connection.sendall(bytes([byte]))
        assert read_all(connection).endswith(b"221 Bye\r\n")
    assert site.inbox.mails[0].data == b"one\r\n.two\r\n"


@pytest.mark.parametrize("parameter", ["AUTH=<>", "auth=a+2Bb@example.org", "SIZE=5 AUTH=<> BODY=8BITMIME"])
def test_mail_from_takes_auth(start: Start, parameter: str) -> None:
    """RFC 4954 section 5: MAIL FROM with AUTH= is taken, and says nothing."""
    lines = converse(start(), f"EHLO client\r\nMAIL FROM:<a@example.org> {parameter}\r\n".encode())
    assert codes(lines) == ["250", "250", "221"]


def test_the_null_sender_is_empty(start: Start) -> None:
    """RFC 5321 section 4.5.5: MAIL FROM:<> is taken, as bounces need it."""
    site = start()
    converse(site, ENVELOPE.replace(b"a@example.org", b"") + b"x\r\n.\r\n")
    assert site.inbox.mails[0].mail_from == ""


def test_utf8_addresses_and_text_are_taken(start: Start) -> None:
    """SMTPUTF8 is announced and holds (RFC 6531)."""
    site = start()
    with site.client() as client:
        client.ehlo()
        assert client.has_extn("smtputf8")
        client.sendmail("ä@example.org", ["δ@example.org"], "Ünder\r\n".encode(), mail_options=["SMTPUTF8"])
    [mail] = site.inbox.mails
    assert (mail.mail_from, mail.recipients, mail.data) == ("ä@example.org", ("δ@example.org",), "Ünder\r\n".encode())


@pytest.mark.parametrize(
    "path",
    [b"<", b"<a b@example.org>", b"<a\rb@example.org>", b"<a\x00@example.org>", b"<\xff@example.org>", b"<<>>"],
    ids=["open", "space", "carriage-return", "nul", "not-utf8", "nested"],
)
def test_a_bad_path_is_refused(start: Start, path: bytes) -> None:
    """No address with a control character or a stray byte gets in, and none upsets the server."""
    lines = converse(start(), b"EHLO client\r\nMAIL FROM:" + path + b"\r\n")
    assert codes(lines) == ["250", "553", "221"]


def test_bare_line_feeds_do_not_end_a_message(start: Start) -> None:
    """Only CRLF.CRLF ends a message: no second mail can be smuggled in (RFC 5321 section 2.3.8)."""
    site = start()
    converse(site, ENVELOPE + b"x\n.\nMAIL FROM:<evil@example.org>\r\n.\n\n.\r\n.\r\n")
    assert [mail.data for mail in site.inbox.mails] == [b"x\n.\nMAIL FROM:<evil@example.org>\r\n\n\n.\r\n"]


def test_a_line_of_any_length_is_kept(start: Start) -> None:
    """A line longer than the stream's buffer arrives whole, its inner dots too."""
    site = start()
    line = b"." * 300_001
    converse(site, ENVELOPE + line + b"\r\n.\r\n")
    assert site.inbox.mails[0].data == line[1:] + b"\r\n"


@pytest.mark.parametrize("body", [b"x" * 2000, b"\r\n" * 1000], ids=["one-line", "empty-lines"])
def test_a_mail_over_the_limit_is_refused_at_its_end(start: Start, body: bytes) -> None:
    """552 comes after the final dot, and the next mail of the session is taken."""
    site = start(message_bytes=1000)
    again = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nshort\r\n.\r\n"
    lines = converse(site, ENVELOPE + body + b"\r\n.\r\n" + again)
    assert codes(lines)[4:] == ["552", "250", "250", "354", "250", "221"]
    assert [mail.data for mail in site.inbox.mails] == [b"short\r\n"]


def test_a_declared_size_over_the_limit_is_refused_at_once(start: Start) -> None:
    """SIZE is announced, and saves sending in vain (RFC 1870)."""
    lines = converse(start(message_bytes=1000), b"EHLO c\r\nMAIL FROM:<a@example.org> SIZE=1001\r\n")
    assert "250-SIZE 1000" in lines
    assert codes(lines) == ["250", "552", "221"]


@pytest.mark.parametrize("block", [b"x" * MEBIBYTE, b"\r\n" * (MEBIBYTE // 2)], ids=["no-line-end", "lines"])
def test_an_endless_message_takes_no_memory(start: Start, block: bytes) -> None:
    """A message far over its limit leaves the memory flat, and is cut off in the end."""
    site = start(message_bytes=MEBIBYTE)
    with closing(site.connect()) as connection:
        connection.sendall(ENVELOPE)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        flood(connection, block, 150 * MEBIBYTE)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert b"552 5.3.4 " in read_all(connection) or True
    assert grown < 10 * 1024  # KiB
    assert site.inbox.mails == []


def test_an_endless_command_takes_no_memory(start: Start) -> None:
    """A command without a line end leaves the memory flat, and ends the session."""
    site = start()
    with closing(site.connect()) as connection:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert flood(connection, b"x" * MEBIBYTE, 100 * MEBIBYTE) < 10 * MEBIBYTE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10 * 1024  # KiB


def test_a_command_that_is_too_long_is_refused(start: Start) -> None:
    """And the session goes on: it may be a mistake."""
    assert codes(converse(start(), b"x" * 60_000 + b"\r\n")) == ["500", "221"]


@pytest.mark.parametrize("request_line", ["POST / HTTP/1.1", f"POST /{'x' * 5000} HTTP/1.1", "MINE / HTTP/1.1"])
def test_a_post_of_http_sends_no_mail(start: Start, request_line: str) -> None:
    """What a page makes a browser post to the port of the intake is not read as commands."""
    site = start()
    with closing(site.connect()) as connection:
        post = f"{request_line}\r\nHost: localhost\r\n\r\n".encode()
        connection.sendall(post + ENVELOPE + b"Subject: x\r\n\r\n.\r\n")
        assert read_all(connection).endswith(b"421 4.7.0 This is no HTTP server\r\n")
    assert site.inbox.mails == []


def test_recipients_over_the_limit_are_put_off(start: Start) -> None:
    """RFC 5321 section 4.5.3.1.10: 452 for one too many; the others get the mail."""
    site = start(recipients=1)
    lines = converse(site, ENVELOPE.replace(b"DATA", b"RCPT TO:<c@example.org>\r\nDATA") + b"x\r\n.\r\n")
    assert codes(lines) == ["250", "250", "250", "452", "354", "250", "221"]
    assert site.inbox.mails[0].recipients == ("b@example.org",)


def test_the_longest_idle_session_makes_room(start: Start) -> None:
    """At the limit it gets 421, and the newcomer is served: idle clients keep nobody out."""
    site = start(connections=2)
    with closing(site.connect()) as oldest, closing(site.connect()) as older:
        assert codes(converse(site, ENVELOPE + b"x\r\n.\r\n"))[-2:] == ["250", "221"]
        assert read_all(oldest).startswith(b"421 4.3.2 ")
        older.sendall(b"NOOP\r\n")
        assert read_until(older, b"\r\n").startswith(b"250 ")


def test_a_message_on_its_way_outlasts_an_idle_session(start: Start) -> None:
    """A client that brings a mail goes only after those that bring none."""
    site = start(connections=2)
    with closing(site.connect()) as busy, closing(site.connect()) as idle:
        busy.sendall(ENVELOPE)
        read_until(busy, b"<CR><LF>.<CR><LF>\r\n")
        converse(site, b"")
        assert read_all(idle).startswith(b"421 4.3.2 ")
        busy.sendall(b"x\r\n.\r\nQUIT\r\n")
        assert codes(read_all(busy).decode().splitlines()) == ["250", "221"]


def test_a_client_is_turned_away_when_all_others_are_waited_for(start: Start) -> None:
    """Where nobody can make room, as every mail is being committed, the newcomer may try again later."""
    inbox = Inbox()
    site = start(inbox, connections=1)
    inbox.gate.clear()
    with closing(site.connect()) as working:
        working.sendall(ENVELOPE + b"x\r\n.\r\n")
        until(lambda: bool(inbox.mails))
        with closing(socket.create_connection(("127.0.0.1", site.port), timeout=HANG)) as second:
            assert read_all(second).startswith(b"421 4.3.2 ")
        site.release()
        working.sendall(b"QUIT\r\n")
        assert codes(read_all(working).decode().splitlines())[-2:] == ["250", "221"]


@pytest.mark.parametrize("sent", [b"", b"EHLO", ENVELOPE + b"half a mail\r\n"], ids=["idle", "command", "message"])
def test_a_silent_client_is_timed_out(start: Start, sent: bytes) -> None:
    """421, and the connection is closed, wherever the client has stopped."""
    short = timedelta(seconds=0.2)
    with closing(start(command_timeout=short, message_timeout=short).connect()) as connection:
        connection.sendall(sent)
        assert read_all(connection).splitlines()[-1].startswith(b"421 4.4.2 ")


def test_a_message_that_moves_earns_its_time(start: Start) -> None:
    """A long mail over a slow link outlasts the timeout: every byte buys some more."""
    site = start(message_timeout=timedelta(seconds=0.3), message_bytes_per_second=100)
    with closing(site.connect()) as connection:
        connection.sendall(ENVELOPE)
        for _ in range(6):
            connection.sendall(b"x" * 98 + b"\r\n")
            time.sleep(0.1)
        connection.sendall(b".\r\nQUIT\r\n")
        assert codes(read_all(connection).decode().splitlines())[-2:] == ["250", "221"]


def test_messages_under_way_share_a_budget(start: Start) -> None:
    """What does not fit into memory any more is put off, and room comes back when the others are through."""
    site = start(message_bytes=2 * MEBIBYTE, held_bytes=3 * MEBIBYTE)
    large = b"x" * MEBIBYTE + b"\r\n" + b"x" * (MEBIBYTE // 2) + b"\r\n"
    with closing(site.connect()) as first:
        first.sendall(ENVELOPE + large)
        until(lambda: site.server._site.budget._used[False] > MEBIBYTE)
        assert codes(converse(site, ENVELOPE + large + b".\r\n"))[-2:] == ["452", "221"]
        assert codes(converse(site, ENVELOPE + b"small\r\n.\r\n"))[-2:] == ["250", "221"]
        first.sendall(b".\r\nQUIT\r\n")
        assert codes(read_all(first).decode().splitlines())[-2:] == ["250", "221"]
    assert codes(converse(site, ENVELOPE + large + b".\r\n"))[-2:] == ["250", "221"]


def test_a_receiver_that_closes_ends_the_session(start: Start) -> None:
    """421 for a mail is the last thing that is said (RFC 5321 section 3.8)."""
    lines = converse(start(Inbox(reply="421 4.3.2 shutting down")), ENVELOPE + b"x\r\n.\r\nNOOP\r\n")
    assert codes(lines)[-2:] == ["354", "421"]


def test_a_drain_turns_clients_away(start: Start) -> None:
    """While the server drains, who comes and who waits is told 421, and a mail on its way gets its reply."""
    site = start()
    with closing(site.connect()) as idle, closing(site.connect()) as busy:
        busy.sendall(ENVELOPE + b"x\r\n")
        read_until(busy, b"<CR><LF>.<CR><LF>\r\n")
        site.drain()
        assert read_all(idle).startswith(b"421 4.3.2 ")
        with closing(socket.create_connection(("127.0.0.1", site.port), timeout=HANG)) as late:
            assert read_all(late).startswith(b"421 4.3.2 ")
        busy.sendall(b".\r\n")
        assert codes(read_all(busy).decode().splitlines()) == ["250", "421"]


def test_a_client_that_reads_nothing_is_cut_off(start: Start) -> None:
    """Replies that nobody reads do not keep a session open."""
    site = start(command_timeout=timedelta(seconds=0.2), connections=1)
    # Sessions inherit it: else the kernel takes megabytes of replies before it is full.
    site.server._listener.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with closing(site.connect()) as deaf:
        flood(deaf, b"HELP\r\n" * 1000, 10_000 * MEBIBYTE)
        assert codes(converse(site, b"")) == ["221"]


def test_a_fault_of_the_receiver_asks_to_try_again(start: Start) -> None:
    """451, with no word about what went wrong; the session goes on with the next mail."""
    lines = converse(start(Inbox(fault=RuntimeError(CANARY))), ENVELOPE + b"x\r\n.\r\nNOOP\r\n")
    assert codes(lines)[-3:] == ["451", "250", "221"]
    assert CANARY not in "".join(lines)


def test_stop_ends_an_idle_session(start: Start) -> None:
    """It is told 421 (RFC 5321 section 3.8)."""
    site = start()
    with closing(site.connect()) as connection:
        site.loop.run(site.server.stop())
        assert read_all(connection).startswith(b"421 4.3.2 ")


def test_stop_waits_for_a_message(start: Start) -> None:
    """The message that is being taken gets its reply before 421."""
    site = start()
    with closing(site.connect()) as connection:
        connection.sendall(ENVELOPE + b"x\r\n")
        read_until(connection, b"<CR><LF>.<CR><LF>\r\n")

        async def stop_while_the_message_ends() -> None:
            stopping = asyncio.create_task(site.server.stop())
            await asyncio.sleep(0)
            await asyncio.to_thread(connection.sendall, b".\r\n")
            await stopping

        site.loop.run(stop_while_the_message_ends())
        assert codes(read_all(connection).decode().splitlines()) == ["250", "421"]


def test_stop_cuts_a_session_at_the_deadline(start: Start) -> None:
    """A message that never ends does not hold the daemon up."""
    site = start()
    with closing(site.connect()) as connection:
        connection.sendall(ENVELOPE + b"x\r\n")
        read_until(connection, b"<CR><LF>.<CR><LF>\r\n")
        site.loop.run(site.server.stop(deadline=timedelta(seconds=0.1)))
        assert read_all(connection) == b""


def test_nothing_of_a_mail_is_logged(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """Neither text nor addresses nor credentials reach a log, whatever its level."""
    caplog.set_level(logging.DEBUG)
    dialogue = ENVELOPE.replace(b"example", CANARY.encode()) + CANARY.encode() + b"\r\n.\r\n"
    converse(start(), dialogue + f"AUTH PLAIN {CANARY}\r\n{CANARY}\r\n".encode())
    assert CANARY not in caplog.text
